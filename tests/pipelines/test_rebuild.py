"""A source left out of a release is rebuilt from its raw files with the recipe of the release, with the same rows."""

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

from hard_negatives import contrast_file
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
    """Task/split → the rows of the source in the shards below `folder`, in order."""
    groups: dict[str, list[dict]] = {}
    for path in sorted(folder.glob("data/*/*.parquet")):
        for row in pq.read_table(path).to_pylist():
            if row["example_id"].startswith(f"{key}/{row['split']}/"):
                groups.setdefault(f"{row['task']}/{row['split']}", []).append(row)
    return groups


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A folder with `raw/`, `build/` and `release/`. The release lacks `gated`, which leaks into the test of `free`."""
    root = tmp_path_factory.mktemp("rebuild")
    texts = [f"Ada{n} met Bo{n} in Rome." for n in range(12)]
    records = [ner(text, person=[text.split()[0], text.split()[2]], place="Rome") for text in texts]
    write_source(root / "raw/gated", "NER", NER_SCHEMA, train=records[:9], test=[*records[9:]])
    write_source(root / "raw/free", "NER", NER_SCHEMA, train=[ner("Cy sat.", person="Cy")], test=records[2:4])
    with_boats = (["boat", *NER_SCHEMA[0]], *NER_SCHEMA[1:])
    write_source(root / "raw/other", "NER", with_boats, train=[ner("Di ran.", person="Di")])
    for key, licence in (("gated", "gated"), ("free", "open"), ("other", "open")):
        with (root / f"raw/{key}/source.yaml").open("a") as settings:
            settings.write(f"license: {licence}\n")
    (root / "texts.yaml").write_text("NER:\n  en: [Name them.]\n")
    flags = ["--data_root", str(root / "raw"), "--output", str(root / "build"), "--embedding_model", "lexical"]
    flags += ["--prompts", str(root / "texts.yaml"), "--seed", "7", "--set", "instruct.split_num={NER: 2}"]
    flags += ["--set", "mine.pin={NER: {gated: {person: [thing]}}}", "--hold_out_labels", "boat,place"]
    lines = {"gated": {"person": {"contrast": "a human"}}, "free": {"person": {"contrast": "a friend"}}}
    (root / "lines.json").write_text(json.dumps({"NER": lines}))
    flags += ["--set", f"mine.contrasts={root / 'lines.json'}"]
    assert build_module.main(flags) == 0
    assert publish.main(["--output", str(root / "build"), "--to", str(root / "release")]) == 0
    return root


def run(root: Path, output: Path, *flags: str) -> int:
    values = {"--release": root / "release", "--sources": "gated", "--data_root": root / "raw", "--output": output}
    values |= dict(zip(flags[::2], flags[1::2], strict=True))
    return rebuild.main([str(part) for flag in values.items() for part in flag])


def test_the_release_lists_files_command_and_other_sources(published):
    left_out = json.loads((published / "release/rebuild/sources.json").read_text())
    assert left_out.keys() == {"gated"}
    assert left_out["gated"]["needs"] == ["free"]
    assert sorted(left_out["gated"]["files"]) == [
        f"{key}/{name}"
        for key in ("free", "gated")
        for name in ("schema.json", "source.yaml", "test.json", "train.json")
    ]
    assert "--sources gated" in left_out["gated"]["command"]
    assert {at: summary["rows"] for at, summary in left_out["gated"]["rows"].items()} == {
        at: len(group) for at, group in rows(published / "build", "gated").items()
    }
    assert rows(published / "release", "gated") == {}
    assert list(contrast_file.read(str(published / "release/rebuild/contrasts.json"))) == [("NER", "gated", "person")]


def test_the_same_files_give_the_same_rows(published, capsys):
    expected = rows(published / "build", "gated")
    assert {at: len({row["example_id"] for row in group}) for at, group in expected.items()} == {
        "NER/train": 7,
        "NER/test": 3,
    }
    assert run(published, published / "out") == 0
    assert "a human" in (published / "out/reports/hard_negatives.html").read_text()
    assert "the same as in the build of the release" in capsys.readouterr().out
    assert rows(published / "out/release", "gated") == expected
    assert not any("place" in row["labels"] for row in expected["NER/train"])  # it is held out
    assert rows(published / "out/release", "free") == {}
    assert run(published, published / "out") == 0


def test_a_release_from_before_the_order_of_labels_could_be_set_has_shuffled_labels(tmp_path):
    flags = ["--sources", "clue_ner,bc2gm", "--embedding_model", "lexical", "--output", str(tmp_path / "build")]
    assert build_module.main([*flags, "--set", "instruct.order=shuffled"]) == 0
    assert publish.main(["--output", str(tmp_path / "build"), "--to", str(tmp_path / "release")]) == 0
    recipe = tmp_path / "release" / RECIPE
    assert "order: shuffled\n" in recipe.read_text()
    recipe.write_text(recipe.read_text().replace("  order: shuffled\n", ""))
    assert run(tmp_path, tmp_path / "out", "--sources", "clue_ner", "--data_root", SAMPLES) == 0


def test_bundled_sources_can_be_rebuilt(small, tmp_path):
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
    """As `published`, with user data whose keys have special characters; only the last one has an open licence."""
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
    """The words into which a shell splits the command."""
    ran = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True, check=True)
    return ran.stdout.split("\0")[:-1]


def test_the_command_of_a_source_with_an_odd_key_runs(odd, tmp_path):
    left_out = json.loads((odd / "release/rebuild/sources.json").read_text())
    assert left_out.keys() == set(ODD[:-1])
    for number, (key, entry) in enumerate(left_out.items()):
        values = {".": odd / "release", "RAW": odd / "raw", "DIR": tmp_path / str(number)}
        python, _, module, *flags = [str(values.get(word, word)) for word in words(entry["command"])]
        assert (python, module) == ("python", "pipelines.rebuild")
        assert rebuild.main(flags) == 0
        assert rows(tmp_path / str(number) / "release", key) == rows(odd / "build", key) != {}


def test_cards_escape_odd_keys(odd):
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


def test_differing_raw_files_are_listed_before_anything_is_built(published, tmp_path, capsys):
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


def test_a_line_break_in_a_folder_name_starts_no_new_line(published, tmp_path, capsys):
    assert run(published, tmp_path / "out", "--data_root", tmp_path / "raw\nerror: forged") == 3
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "error: the raw files differ from those of the release:"
    assert lines and all(line.startswith(f"{tmp_path}/raw\\nerror: forged/") for line in lines)


def test_a_release_that_left_nothing_out_is_refused(untrusted, published, capsys):
    (untrusted / SOURCES).write_text("{}")
    assert run(published, published / "none", "--release", untrusted) == 2
    assert f"--sources gated: not left out of {untrusted}, which left out nothing" in capsys.readouterr().err


def test_differing_rows_are_an_error(published, tmp_path, capsys):
    release = Path(shutil.copytree(published / "release", tmp_path / "release"))
    content = json.loads((release / "rebuild/sources.json").read_text())
    content["gated"]["rows"]["NER/train"]["rows"] += 1
    content["gated"]["rows"]["RE/test"] = content["gated"]["rows"].pop("NER/test")
    (release / "rebuild/sources.json").write_text(json.dumps(content))
    assert run(published, published / "out", "--release", release) == 3
    error = capsys.readouterr().err.splitlines()[-1]
    assert "the rows differ from those of the release: gated NER/train, gated RE/test, gated NER/test; the rel" in error


def test_a_list_of_sources_with_invalid_json_is_refused(published, tmp_path, capsys):
    release = Path(shutil.copytree(published / "release", tmp_path / "release"))
    (release / "rebuild/sources.json").write_text("{")
    assert run(published, tmp_path / "out", "--release", release) == 2
    assert "rebuild/sources.json: invalid JSON (" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--sources", "free"), "--sources free: not left out of"),
        (("--release", "/nowhere"), "/nowhere: no rebuild/sources.json in it"),
    ],
)
def test_sources_and_releases_that_cannot_be_rebuilt_are_refused(published, tmp_path, capsys, flags, message):
    assert run(published, tmp_path / "out", *flags) == 2
    assert message in capsys.readouterr().err


# Untrusted releases


@pytest.fixture
def untrusted(published, tmp_path) -> Path:
    return Path(shutil.copytree(published / "release", tmp_path / "release"))


def refusal(published: Path, untrusted: Path, capsys, *flags: str) -> str:
    """The error for the release, checked before raw files are read and anything is built."""
    output = untrusted.parent / "out"
    required = ["--release", str(untrusted), "--sources", "gated", "--data_root", "/nowhere", "--output", str(output)]
    assert rebuild.main([*required, *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {untrusted}") and not output.exists()
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
def test_a_recipe_with_files_models_or_wrong_values_is_refused(published, untrusted, capsys, section, key, value):
    path = untrusted / "rebuild/recipe.yaml"
    content = yaml.safe_load(path.read_text())
    (content.setdefault(section, {}) if section else content)[key] = value
    path.write_text(yaml.safe_dump(content))
    wrong = f"{section}.{key}" if section else key
    assert re.search(rf"rebuild/recipe.yaml:\d+: (unknown key )?{wrong}", refusal(published, untrusted, capsys))


def test_trust_allows_models_but_no_files(untrusted):
    path = untrusted / "rebuild/recipe.yaml"
    content = yaml.safe_load(path.read_text())
    content["mine"]["embedding_model"] = "someone/model"
    path.write_text(yaml.safe_dump(content))
    assert recipes.read(str(untrusted), trust=True)[2].mine.embedding_model == "someone/model"
    content["mine"]["cache"] = "/tmp/cache"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=r"mine\.cache is '/tmp/cache'"):
        recipes.read(str(untrusted), trust=True)


@pytest.mark.parametrize(
    "name", ["../gated/train.json", "/etc/passwd", "gated/../../x", "gated//x", ".", "..", "", "a\0b"]
)
@pytest.mark.parametrize("section", ["files", "needs"])
def test_file_names_outside_the_data_root_are_refused(published, untrusted, capsys, name, section):
    path = untrusted / "rebuild/sources.json"
    content = json.loads(path.read_text())
    content["gated"][section] = {name: "0" * 64} if section == "files" else [name]
    path.write_text(json.dumps(content))
    assert f"{name!r}, which is no" in refusal(published, untrusted, capsys)


@pytest.mark.parametrize("name", ["x" * 5_000, f"gated/{'x' * 256}", "x/" * 2_500 + "x"])
def test_impossible_file_names_are_refused(published, untrusted, capsys, name):
    path = untrusted / "rebuild/sources.json"
    content = json.loads(path.read_text())
    content["gated"]["files"] = {name: "0" * 64}
    path.write_text(json.dumps(content))
    line = refusal(published, untrusted, capsys)
    assert "which is not a path in a data root" in line and len(line) < 1_000


@pytest.mark.parametrize("name", ["release.json", SOURCES, RECIPE, PROMPTS, f"{DICTIONARIES}/x"])
@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd", "../../../..", "/nowhere"])
def test_links_out_of_the_release_are_refused(published, untrusted, capsys, name, target):
    (untrusted / name).unlink(missing_ok=True)
    (untrusted / name).symlink_to(target)
    refusal(published, untrusted, capsys)


def test_linked_folders_pipes_and_huge_files_are_refused(published, untrusted, capsys):
    shutil.move(untrusted / "rebuild", untrusted.parent / "elsewhere")
    (untrusted / "rebuild").symlink_to(untrusted.parent / "elsewhere")
    assert "a link that leads out of the release" in refusal(published, untrusted, capsys)
    (untrusted / "rebuild").unlink()
    shutil.move(untrusted.parent / "elsewhere", untrusted / "rebuild")
    os.mkfifo(untrusted / "rebuild/pipe")
    assert "rebuild/pipe: missing or not a regular file" in refusal(published, untrusted, capsys)
    (untrusted / "rebuild/pipe").unlink()
    for name, size in (("recipe.yaml", 2 << 20), ("hard_negatives/NER/gated.json", 1 << 30)):
        before = (untrusted / "rebuild" / name).stat().st_size
        os.truncate(untrusted / "rebuild" / name, size)
        assert f"rebuild/{name}: larger than any release needs" in refusal(published, untrusted, capsys)
        os.truncate(untrusted / "rebuild" / name, before)


def test_an_incomplete_release_is_refused(published, untrusted, capsys):
    (untrusted / "rebuild/prompts.yaml").unlink()
    assert "incomplete release, rebuild/prompts.yaml is missing" in refusal(published, untrusted, capsys)
