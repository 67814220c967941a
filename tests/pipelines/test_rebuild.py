"""A source that a release left out, rebuilt from its raw files by the release's recipe: the same rows, or an error."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest
import yaml

from pipelines import build as build_module
from pipelines import publish, rebuild
from pipelines.config import SAMPLES
from pipelines.release import recipes
from pipelines.release.recipes import DICTIONARIES, PROMPTS, RECIPE, SOURCES
from schemas import key_list
from schemas.errors import ConfigError
from schemas.example_id import ExampleId
from tests.unified import NER_SCHEMA, ner, write_source


def rows(folder: Path, key: str) -> dict[str, list[dict]]:
    """Task/split → the source's rows in the shards below `folder`, in order."""
    found: dict[str, list[dict]] = {}
    for path in sorted(folder.glob("data/*/*.parquet")):
        for row in pq.read_table(path).to_pylist():
            if row["example_id"].startswith(f"{key}/{row['split']}/"):
                found.setdefault(f"{row['task']}/{row['split']}", []).append(row)
    return found


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A folder with `raw/`, `build/` and `release/`: `gated` is left out, and leaks into the test of `free`."""
    root = tmp_path_factory.mktemp("rebuild")
    texts = [f"Ada{n} met Bo{n} in Rome." for n in range(12)]
    records = [ner(text, person=[text.split()[0], text.split()[2]], place="Rome") for text in texts]
    write_source(root / "raw/gated", "NER", NER_SCHEMA, train=records[:9], test=[*records[9:]])
    write_source(root / "raw/free", "NER", NER_SCHEMA, train=[ner("Cy sat.", person="Cy")], test=records[2:4])
    write_source(root / "raw/other", "NER", NER_SCHEMA, train=[ner("Di ran.", person="Di")])
    for key, licence in (("gated", "gated"), ("free", "open"), ("other", "open")):
        with (root / f"raw/{key}/source.yaml").open("a") as settings:
            settings.write(f"license: {licence}\n")
    (root / "texts.yaml").write_text("NER:\n  en: [Name them.]\n")
    flags = ["--data_root", str(root / "raw"), "--output", str(root / "build"), "--embedding_model", "lexical"]
    flags += ["--prompts", str(root / "texts.yaml"), "--seed", "7", "--set", "instruct.split_num={NER: 2}"]
    flags += ["--set", "mine.pin={NER: {gated: {person: [thing]}}}"]
    assert build_module.main(flags) == 0
    assert publish.main(["--output", str(root / "build"), "--to", str(root / "release")]) == 0
    return root


def run(root: Path, output: Path, *flags: str) -> int:
    given = {"--release": root / "release", "--sources": "gated", "--data_root": root / "raw", "--output": output}
    given |= dict(zip(flags[::2], flags[1::2], strict=True))
    return rebuild.main([str(part) for flag in given.items() for part in flag])


def test_the_recipe_names_files_command_and_what_else_is_needed(published):
    told = json.loads((published / "release/rebuild/sources.json").read_text())
    assert told.keys() == {"gated"}
    assert told["gated"]["needs"] == ["free"]
    assert sorted(told["gated"]["files"]) == [
        f"{key}/{name}"
        for key in ("free", "gated")
        for name in ("schema.json", "source.yaml", "test.json", "train.json")
    ]
    assert "--sources gated" in told["gated"]["command"]
    assert {at: of["rows"] for at, of in told["gated"]["rows"].items()} == {
        at: len(of) for at, of in rows(published / "build", "gated").items()
    }
    assert rows(published / "release", "gated") == {}


def test_the_same_rows_come_of_the_same_files(published, capsys):
    expected = rows(published / "build", "gated")
    assert {at: len({row["example_id"] for row in of}) for at, of in expected.items()} == {
        "NER/train": 7,
        "NER/test": 3,
    }
    assert run(published, published / "out") == 0
    assert "the same as in the build of the release" in capsys.readouterr().out
    assert rows(published / "out/release", "gated") == expected
    assert rows(published / "out/release", "free") == {}
    assert run(published, published / "out") == 0


def test_bundled_sources_too(small, tmp_path):
    build = Path(shutil.copytree(small, tmp_path / "build"))
    assert publish.main(["--output", str(build), "--to", str(tmp_path / "release")]) == 0
    flags = {"--release": tmp_path / "release", "--sources": "ade_corpus,duee1", "--data_root": SAMPLES}
    assert rebuild.main([str(p) for flag in flags.items() for p in flag] + ["--output", str(tmp_path / "out")]) == 0
    for key in ("ade_corpus", "duee1"):
        expected = rows(build, key)
        assert expected and rows(tmp_path / "out/release", key) == expected


ODD = ('Nils, A (2024) "log" [v1]', "-dash; $HOME `x`|y", "it's 100 % & <b>")


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> Path:
    """As `published`: of own data whose keys are anything but plain, the last one open."""
    root = tmp_path_factory.mktemp("odd")
    for number, key in enumerate(ODD):
        records = [ner(f"Ada{number}{n} met Bo.", person=[f"Ada{number}{n}", "Bo"]) for n in range(3)]
        write_source(root / "raw" / key, "NER", NER_SCHEMA, train=records)
    with (root / "raw" / ODD[-1] / "source.yaml").open("a") as settings:
        settings.write("license: CC BY 4.0\n")
    flags = ["--data_root", str(root / "raw"), "--output", str(root / "build"), "--embedding_model", "lexical"]
    assert build_module.main([*flags, "--sources", key_list.join(ODD)]) == 0
    assert publish.main(["--output", str(root / "build"), "--to", str(root / "release")]) == 0
    return root


def words(command: str) -> list[str]:
    """What a shell makes of it."""
    ran = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True, check=True)
    return ran.stdout.split("\0")[:-1]


def test_the_command_of_a_source_with_an_odd_key_runs_as_it_is_written(odd, tmp_path):
    told = json.loads((odd / "release/rebuild/sources.json").read_text())
    assert told.keys() == set(ODD[:-1])
    for number, (key, about) in enumerate(told.items()):
        given = {".": odd / "release", "RAW": odd / "raw", "DIR": tmp_path / str(number)}
        python, _, module, *flags = [str(given.get(word, word)) for word in words(about["command"])]
        assert (python, module) == ("python", "pipelines.rebuild")
        assert rebuild.main(flags) == 0
        assert rows(tmp_path / str(number) / "release", key) == rows(odd / "build", key) != {}


def test_cards_with_odd_keys_name_them_rightly(odd):
    for card in (odd / "build/README.md", odd / "build/README_zh.md"):
        text = card.read_text()
        (command,) = re.findall(r"^python -m pipelines.build .*$", text, re.MULTILINE)
        flags = words(command)
        assert key_list.split(flags[flags.index("--sources") + 1], "--sources") == sorted(ODD)
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table
        assert "`x`|y</code>" in html.unescape(text)


def test_loaders_open_a_build_and_a_release_with_odd_keys(odd, tmp_path):
    for folder, keys in (("build", ODD), ("release", ODD[-1:])):
        loaded = datasets.load_dataset(str(odd / folder), "NER", split="train", cache_dir=str(tmp_path / folder))
        assert {ExampleId.parse(row["example_id"]).key for row in loaded} == set(keys)


def test_other_files_are_named_before_anything_is_built(published, tmp_path, capsys):
    raw = Path(shutil.copytree(published / "raw", tmp_path / "raw"))
    (raw / "free/test.json").unlink()
    with (raw / "gated/train.json").open("a") as file:
        file.write("\n")
    assert run(published, tmp_path / "out", "--data_root", raw) == 3
    error = capsys.readouterr().err.splitlines()
    assert error[0] == "error: the raw files differ from those of the release:"
    assert error[1] == f"{raw}/free/test.json: missing"
    assert error[2].startswith(f"{raw}/gated/train.json: differs from the file that the release was made of")
    assert len(error) == 3 and not (tmp_path / "out").exists()


def test_a_folder_with_a_line_end_makes_no_line(published, tmp_path, capsys):
    assert run(published, tmp_path / "out", "--data_root", tmp_path / "raw\nerror: forged") == 3
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "error: the raw files differ from those of the release:"
    assert lines and all(line.startswith(f"{tmp_path}/raw\\nerror: forged/") for line in lines)


def test_a_release_that_left_nothing_out(strange, published, capsys):
    (strange / SOURCES).write_text("{}")
    assert run(published, published / "none", "--release", strange) == 2
    assert f"--sources gated: not left out of {strange}, which left out nothing" in capsys.readouterr().err


def test_other_rows_are_an_error(published, tmp_path, capsys):
    release = Path(shutil.copytree(published / "release", tmp_path / "release"))
    told = json.loads((release / "rebuild/sources.json").read_text())
    told["gated"]["rows"]["NER/train"]["rows"] += 1
    told["gated"]["rows"]["RE/test"] = told["gated"]["rows"].pop("NER/test")
    (release / "rebuild/sources.json").write_text(json.dumps(told))
    assert run(published, published / "out", "--release", release) == 3
    error = capsys.readouterr().err.splitlines()[-1]
    assert (
        "the rows differ from those of the release: gated NER/train, gated RE/test, gated NER/test; the release"
        in error
    )


def test_a_list_of_sources_that_is_no_json(published, tmp_path, capsys):
    release = Path(shutil.copytree(published / "release", tmp_path / "release"))
    (release / "rebuild/sources.json").write_text("{")
    assert run(published, tmp_path / "out", "--release", release) == 2
    assert "rebuild/sources.json: invalid JSON (" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--sources", "free"), "--sources free: not left out of"),
        (("--release", "/nowhere"), "/nowhere: no rebuild/sources.json in it"),
    ],
)
def test_what_cannot_be_rebuilt(published, tmp_path, capsys, flags, says):
    assert run(published, tmp_path / "out", *flags) == 2
    assert says in capsys.readouterr().err


# A release that a stranger made


@pytest.fixture
def strange(published, tmp_path) -> Path:
    return Path(shutil.copytree(published / "release", tmp_path / "release"))


def refuses(published: Path, strange: Path, capsys, *flags: str) -> str:
    """The line by which the release is refused: nothing was built, nor any raw file looked at."""
    output = strange.parent / "out"
    given = ["--release", str(strange), "--sources", "gated", "--data_root", "/nowhere", "--output", str(output)]
    assert rebuild.main([*given, *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {strange}") and not output.exists()
    return line


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("mine", "embedding_model", "someone/model"),
        ("mine", "embedding_model", "/home/someone/model"),
        ("tokens", "tokenizer", "someone/model"),
        ("tokens", "tokenizer", "/dev/zero"),
        ("mine", "hard_negatives", "/etc/passwd"),
        ("mine", "hard_negatives", "../../else"),
        ("mine", "cache", "/tmp/cache"),
        ("instruct", "prompts", "/etc/passwd"),
        ("instruct", "prompts", "/dev/zero"),
        ("instruct", "prompts", "../../prompts.yaml"),
        (None, "data_root", "/home"),
        ("instruct", "split_num", {"NER": 10**30}),
        ("instruct", "labels_without_positive", 10**30),
        ("instruct", "callbacks", "os.system"),
    ],
)
def test_a_recipe_that_names_files_and_models(published, strange, capsys, section, key, value):
    path = strange / "rebuild/recipe.yaml"
    content = yaml.safe_load(path.read_text())
    (content.setdefault(section, {}) if section else content)[key] = value
    path.write_text(yaml.safe_dump(content))
    wrong = f"{section}.{key}" if section else key
    assert re.search(rf"rebuild/recipe.yaml:\d+: (unknown key )?{wrong}", refuses(published, strange, capsys))


def test_models_are_a_matter_of_trust_and_files_are_not(strange):
    path = strange / "rebuild/recipe.yaml"
    content = yaml.safe_load(path.read_text())
    content["mine"]["embedding_model"] = "someone/model"
    path.write_text(yaml.safe_dump(content))
    assert recipes.read(str(strange), trust=True)[2].mine.embedding_model == "someone/model"
    content["mine"]["cache"] = "/tmp/cache"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=r"mine\.cache is '/tmp/cache'"):
        recipes.read(str(strange), trust=True)


@pytest.mark.parametrize(
    "name", ["../gated/train.json", "/etc/passwd", "gated/../../x", "gated//x", ".", "..", "", "a\0b"]
)
@pytest.mark.parametrize("list_of", ["files", "needs"])
def test_names_that_lead_out_of_the_data_root(published, strange, capsys, name, list_of):
    path = strange / "rebuild/sources.json"
    content = json.loads(path.read_text())
    content["gated"][list_of] = {name: "0" * 64} if list_of == "files" else [name]
    path.write_text(json.dumps(content))
    assert f"{name!r}, which is no" in refuses(published, strange, capsys)


@pytest.mark.parametrize("name", ["x" * 5_000, f"gated/{'x' * 256}", "x/" * 2_500 + "x"])
def test_names_that_no_file_can_have(published, strange, capsys, name):
    path = strange / "rebuild/sources.json"
    content = json.loads(path.read_text())
    content["gated"]["files"] = {name: "0" * 64}
    path.write_text(json.dumps(content))
    line = refuses(published, strange, capsys)
    assert "which is not a path in a data root" in line and len(line) < 1_000


@pytest.mark.parametrize("name", ["release.json", SOURCES, RECIPE, PROMPTS, f"{DICTIONARIES}/x"])
@pytest.mark.parametrize("leads_to", ["/dev/zero", "/etc/passwd", "../../../..", "/nowhere"])
def test_links_that_lead_out_of_the_release(published, strange, capsys, name, leads_to):
    (strange / name).unlink(missing_ok=True)
    (strange / name).symlink_to(leads_to)
    refuses(published, strange, capsys)


def test_a_folder_of_links_a_pipe_and_files_without_end(published, strange, capsys):
    shutil.move(strange / "rebuild", strange.parent / "elsewhere")
    (strange / "rebuild").symlink_to(strange.parent / "elsewhere")
    assert "a link that leads out of the release" in refuses(published, strange, capsys)
    (strange / "rebuild").unlink()
    shutil.move(strange.parent / "elsewhere", strange / "rebuild")
    os.mkfifo(strange / "rebuild/pipe")
    assert "rebuild/pipe: missing or not a regular file" in refuses(published, strange, capsys)
    (strange / "rebuild/pipe").unlink()
    for name, size in (("recipe.yaml", 2 << 20), ("hard_negatives/NER/gated.json", 1 << 30)):
        before = (strange / "rebuild" / name).stat().st_size
        os.truncate(strange / "rebuild" / name, size)
        assert f"rebuild/{name}: larger than any release needs" in refuses(published, strange, capsys)
        os.truncate(strange / "rebuild" / name, before)


def test_half_a_release(published, strange, capsys):
    (strange / "rebuild/prompts.yaml").unlink()
    assert "incomplete release, rebuild/prompts.yaml is missing" in refuses(published, strange, capsys)
