"""The report's section on a user's own data: the same numbers as `ieforge inspect`, from the tables of a build."""

import json
import re

import pytest

from pipelines import build, publish
from pipelines import inspect as inspect_command
from pipelines.build_folder import read_result
from pipelines.build_reports import read_statistics
from pipelines.report import page, user_sources
from pipelines.report.pseudonyms import rename_files
from pipelines.report.samples import size
from schemas.agreement import Annotators
from schemas.errors import Reason
from schemas.manifests import Ingested
from tests.chromium import CHROMIUM, chromium_page
from tests.label_studio_tasks import task
from tests.pipelines.report.looking import choose

TRAIN = [
    {"text": "Ada Marrow moved to Coal Quay.", "label": [[0, 10, "person"], [20, 29, "place"], [25, 29, "part"]]},
    {"text": "Coal Quay  is loud.", "label": [[0, 10, "Place"]]},
    {"text": "Marrow likes Coal Quay.", "label": [[13, 22, "person"], [7, 7, "place"], [0, 12, "x"], [7, 22, "y"]]},
    {"label": []},
    {"text": "Nothing moved here today."},
]
TEST = [
    {
        "text": "Ada met Ben.",
        "entities": [
            {"id": 1, "label": "person", "start_offset": 0, "end_offset": 3},
            {"id": 2, "label": "person", "start_offset": 8, "end_offset": 11},
        ],
        "relations": [{"from_id": 1, "to_id": 2, "type": "met"}, {"from_id": 1, "to_id": 9, "type": "met"}],
    },
]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def build_at(folder, *flags) -> str:
    output = str(folder / "corpus")
    flags = ("--data_root", str(folder / "raw"), "--output", output, "--embedding_model", "lexical", *flags)
    assert build.main(list(flags)) == 0
    return output


def section_of(output: str, key: str) -> dict:
    return user_sources.user_sources(output, read_result(output, Ingested), [key])[key]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    write(folder / "raw/quays/train.jsonl", TRAIN)
    write(folder / "raw/quays/test.jsonl", TEST)
    (folder / "raw/quays/source.yaml").write_text("license: CC-BY-4.0\nlabels: {person: PERSON}\n")
    letters = [{"text": f"Ada wrote {n}.", "label": [[0, 3, "p"]], "letter": f"letter {n % 4}"} for n in range(24)]
    write(folder / "raw/letters/all.jsonl", letters)
    (folder / "raw/letters/source.yaml").write_text("group_by: letter\n")
    (folder / "raw/boats").mkdir()
    both = {"ann": [("Ada", "PER"), ("Rome", "LOC")], "ben": [("Ada", "PER"), ("Rome", "ORG")]}
    (folder / "raw/shared").mkdir()
    (folder / "raw/shared/train.json").write_text(json.dumps([task(1, "Ada met Bo in Rome.", both)]))
    text = "Ada and Ben Marrow met.\n"
    (folder / "raw/boats/a.txt").write_text(text)
    (folder / "raw/boats/a.ann").write_text(
        "T1\tP 0 3;12 18\tAda Marrow\nT2\tP 8 18\tBen Marrow\nT3\tMeet 19 22\tmet\nE1\tMeet:T3 Who:T1\n#1\tNote T1\tx\n"
    )
    write(
        folder / "raw/rasail/train.jsonl", [{"text": ARABIC, "label": [[5, 14, "شخص"], [18, 31, "م"], [24, 31, "ق"]]}]
    )
    return folder


ARABIC = "يعمل أحمد ناصر في جامعة القاهرة."


@pytest.fixture(scope="module")
def output(folder):
    return build_at(folder)


@pytest.fixture(scope="module")
def sharded(folder, tmp_path_factory):
    """The same build with one text per shard."""
    copy = tmp_path_factory.mktemp("sharded")
    (copy / "raw").symlink_to(folder / "raw")
    return build_at(copy, "--set", "ingest.examples_per_shard=1")


def test_the_section_has_the_numbers_of_inspect(folder, output, capsys):
    assert inspect_command.main([str(folder / "raw"), "--json"]) == 0
    inspected = {source["key"]: source for source in json.loads(capsys.readouterr().out)["sources"]}
    assert set(inspected) == {"quays", "boats", "rasail", "letters", "shared"}
    for key, source in inspected.items():
        section = section_of(output, key)
        assert (section["format"], section["files"]) == (
            source["recognised_as"],
            [len(source["files"]), source["files"]],
        )
        assert [source["licence_text"], source["publishing"]] == [section["licence"][0], "".join(section["licence"][1])]
        for split, texts, annotated, layers, left_out, beyond in section["splits"]:
            counts = source["splits"][split]
            assert (texts, annotated, left_out, beyond) == (
                counts["texts"], counts["annotated"], counts["records_left_out"], 0
            )  # fmt: skip
            named = zip(("entities", "relations", "events"), layers, strict=True)
            assert {layer: number for layer, number in named if layer in section["layers"]} == {
                layer: counts[layer] for layer in section["layers"]
            }
        assert len(section["splits"]) == len(source["splits"])
        assert {
            layer: {name: [number, examples, roles] for name, number, examples, roles in rows}
            for layer, _, rows in section["labels"]
        } == {
            layer: {name: [use["count"], use["examples"], use["roles"]] for name, use in labels.items()}
            for layer, labels in source["labels"].items()
        }
        before = source["problems"].keys() - {"blanks at the edges of a mention, which a build removes"}
        shown = dict(section["left_out"][0]) | dict(section["problems"][0])
        assert shown == {kind: source["problems"][kind] for kind in before}
        assert [text for _, text, *_ in section["first"]] == [record["text"] for record in source["first_texts"]]
        assert dict(section["ignored"]) == source["not_used"]


def test_what_was_left_out_has_file_and_line(output):
    section = section_of(output, "quays")
    assert section["left_out"] == [
        [
            ["records left out: a field is missing", 1],
            ["annotations left out: an end of a relation, or another part, is missing", 1],
            ["annotations left out: offsets that do not fit", 1],
        ],
        [
            ["records left out: a field is missing", "train.jsonl:4", "the row has no text, only label"],
            [
                "annotations left out: an end of a relation, or another part, is missing",
                "test.jsonl:1",
                "'met': one of the entities 1 and 9 does not exist",
            ],
            ["annotations left out: offsets that do not fit", "train.jsonl:3", "'place': 7 to 7 is an empty span"],
        ],
    ]
    assert section["problems"][1] == [
        ["mentions that overlap in part", "quays/train/2", 'x "Marrow likes" and y "likes Coal Quay"'],
        ["strings with two labels", "quays/train/2", '"Coal Quay" is place (1 x) and Place (1 x) and PERSON (1 x)'],
        [
            "labels that differ only in case, blanks or hyphens",
            "quays/train/1",
            '"place" (1 x) and "Place" (1 x)',
        ],
    ]


def test_the_annotators_and_their_agreement(output):
    section = section_of(output, "shared")
    assert section["annotators"][:3] == [
        "annotators: ann (1 text), ben (1 text)",
        "of each text, the annotation that is marked as gold is taken, else the first one (annotators: gold); left "
        "out: 1 other annotation",
        "ann and ben, 1 text in common",
    ]
    assert "  entities labelled LOC by ann, ORG by ben: 1" in section["annotators"]
    assert section["left_out"] == [[], []] and section["splits"] == [["train", 1, 1, [2, 0, 0], 0, 0]]
    assert section_of(output, "quays")["annotators"] == []


def test_the_section_does_not_depend_on_shards(output, sharded):
    for key in ("quays", "boats"):
        assert section_of(sharded, key) == section_of(output, key)


@pytest.mark.parametrize(("limit", "most"), [("SURVEYED", 1), ("ANNOTATIONS", 3)])
def test_of_a_large_source_the_first_texts_are_looked_at_and_all_are_counted(sharded, monkeypatch, limit, most):
    monkeypatch.setattr(user_sources, limit, most)
    section = section_of(sharded, "quays")
    assert section["surveyed"] == 2 and [split for split, *_ in section["splits"]] == ["train", "test"]
    assert {name: number for _, _, rows in section["labels"] for name, number, _, _ in rows} == {
        "PERSON": 4, "place": 1, "part": 1, "Place": 1, "x": 1, "y": 1, "met": 1
    }  # fmt: skip
    assert section["problems"] == [[], []] and len(section["left_out"][1]) == 3


def test_rejects_that_are_only_counted_are_counted(tmp_path):
    """A list in rejects/ has a limit. Records come first in it."""
    kept = user_sources.REJECTS_KEPT
    good = [{"text": f"Ada left quay {n}.", "label": [[0, 3, "p"], [0, 0, "q"]]} for n in range(9)]
    rows = good + [{"label": []}] * (kept + 3)
    write(tmp_path / "raw/quays/train.jsonl", rows)
    section = section_of(build_at(tmp_path, "--set", "ingest.max_reject_rate=0.9999"), "quays")
    assert section["left_out"][0] == [
        ["records left out: a field is missing", kept + 3],
        ["annotations left out: offsets that do not fit", 9],
    ]
    assert len(section["left_out"][1]) == 20


def test_sizes_are_bounded(output, monkeypatch):
    monkeypatch.setattr(user_sources, "SOURCE_BYTES", 400)
    section = section_of(output, "quays")
    assert 100 < size(section["first"]) <= 200 + 2 and size(section["left_out"][1]) <= 50 + 2


def test_built_in_sources_have_no_section(built):
    ingested = read_result(str(built), Ingested)
    assert {key.partition("/")[0] for key in ingested.user_sources} == {"IE-en"}
    assert {about.format for about in ingested.user_sources.values()} == {"IEPile's unified format"}
    assert Reason.BROKEN_JSON in {reason for read in ingested.splits for reason in read.rejected}
    assert user_sources.user_sources(str(built), ingested, ["clue_ner"]) == {}


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")
def test_the_page_marks_the_texts(output, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page.page(output, read_statistics(output)), encoding="utf-8")
    script = """((key) => {
        const source = [...document.querySelectorAll('#user-sources details')]
            .find((each) => each.querySelector('strong')?.textContent === key);
        const text = source.querySelector('.text');
        const of = (label) => [...text.querySelectorAll('mark')].filter((mark) => mark.title === label)
            .map((mark) => mark.textContent).join('|');
        return [getComputedStyle(text).direction, source.textContent, of];
    })"""
    with chromium_page(tmp_path) as tab:
        tab.look(1200, 900)
        tab.open(path)
        assert not tab.problems
        assert tab.run("document.querySelectorAll('#user-sources .text').length") == 0  # more than three are closed
        tab.run(
            "document.querySelectorAll('#user-sources details')"
            ".forEach((each) => { each.open = true; each.dispatchEvent(new Event('toggle')); })"
        )
        marks = f"((key, label) => {script}(key)[2](label))"
        assert tab.run(f"{script}('rasail')[0]") == "rtl" and tab.run(f"{script}('quays')[0]") == "ltr"
        assert tab.run(f"{marks}('rasail', 'م')") == "جامعة |القاهرة"  # a mention nests in it
        assert tab.run(f"{marks}('rasail', 'ق')") == "القاهرة"
        assert tab.run(f"{marks}('boats', 'P · Who')") == "Ada|Marrow"
        quoted = "[...document.querySelectorAll('#user-sources pre bdi')].map((each) => each.textContent)"
        assert tab.run(quoted) == [f"'{each}'" for each in ["LOC", "Rome", "ORG", "Rome", "ORG", "Rome", "LOC", "Rome"]]
        assert "taken for Arabic (ar)" in tab.run(f"{script}('rasail')[1]")
        tab.open(path, "?lang=zh")
        choose(tab, "source", "quays")
        text = tab.run(f"{script}('quays')[1]")
        for sentence in (
            "英语（en）", "CC-BY-4.0；可以署名发布", "略去的记录：缺少字段1", "略去的标注：位置不符1", "部分重叠的提及1"
        ):  # fmt: skip
            assert sentence in text
        choose(tab, "source", "rasail")
        text = tab.run(f"{script}('rasail')[1]")
        assert "被当作阿拉伯语（ar）" in text and "未说明；ieforge publish 会略去这个来源" in text
        tab.open(path)
        tab.run("document.getElementById('source').value = 'boats'")
        tab.run("document.getElementById('source').dispatchEvent(new Event('change'))")
        assert tab.run("document.querySelectorAll('#user-sources strong').length") == 1


def test_a_release_does_not_name_annotators(output, tmp_path, capsys):
    flags = ["--output", output, "--include_unlicensed"]
    assert publish.main([*flags, "--dry_run"]) == 0
    assert "annotators\tshared\treports/report.html calls them annotator 1, annotator 2, ..." in capsys.readouterr().out
    assert publish.main([*flags, "--to", str(tmp_path / "release")]) == 0
    html = (tmp_path / "release/reports/report.html").read_text(encoding="utf-8")
    shown = json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', html, re.DOTALL)[1])
    section = json.dumps(shown["user_sources"]["shared"])
    assert "annotator 1 (1 text), annotator 2 (1 text)" in section
    assert "LOC by annotator 1, ORG by annotator 2" in section
    rejects = json.dumps([row for row in shown["rejects"] if row[1] == "shared"])
    assert not re.search(r"\b(ann|ben)\b", section + rejects)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("ada.jsonl:3", "annotator 1.jsonl:3"),
        ("annotation/letters1.txt/ada.tsv:7", "annotation/letters1.txt/annotator 1.tsv:7"),
        ("b.ada.jsonl:3, ada.jsonl:9", "b.ada.jsonl:3, annotator 1.jsonl:9"),
        ("'x': b.ada@sea.example.xmi", "'x': annotator 2.xmi"),
        ("the text at 0-3 is 'ada'", "the text at 0-3 is 'ada'"),
        ("canada.jsonl:3", "canada.jsonl:3"),
    ],
)
def test_files_named_after_annotators(place, expected):
    annotators = Annotators("gold", {"ada": 5, "b.ada@sea.example": 2}, (), 0)
    assert rename_files(annotators)(place) == expected
    assert rename_files(None)(place) == place
