"""Wiki-ZSL: graphs with several edges, the table with joined mentions, and fixed draws."""

import csv
import json

import pytest

from pipelines.sources.datasets import wiki_zsl
from pipelines.sources.datasets.wiki_zsl import first_mention
from pipelines.sources.source_files import find
from schemas.errors import BadRecord, Reason
from transforms.files import list_files
from transforms.normalize import normalize

DRAW_3 = {
    *("author", "educated at", "family", "given name", "instrument", "licensed to broadcast to"),
    *("located in or next to body of water", "material used", "member of", "named after"),
    *("organization directed from the office or person", "original language of film or TV show", "position held"),
    *("sport", "winner"),
}


def read_from(tmp_path, number: int = 3) -> list:
    source = wiki_zsl.SOURCES[str(number)]
    source_files = find(source, list_files(str(tmp_path)))
    assert list(source_files.splits) == ["test"] and source_files.unassigned == []
    records = source_files.form.read(source_files.splits["test"])
    return [r if isinstance(r, BadRecord) else normalize(r, {}, source.relation_labels, {}, {}) for r in records]


def graph(*edges: tuple[list[int], str, list[int]]) -> dict:
    return {
        "tokens": ["Tom", "plays", "guitar", "and", "Ann", "guitar", "too", "."],
        "edgeSet": [{"kbID": p, "left": left, "right": right, "triple": ["", p, ""]} for left, p, right in edges],
        "vertexSet": [],
    }


@pytest.mark.parametrize("lines", [False, True])
def test_every_edge_with_a_relation_of_the_draw_is_read(tmp_path, lines):
    rows = [
        graph(([0], "P1303", [2, 5]), ([4], "P1303", [5]), ([0], "P26", [4])),
        graph(([0], "P26", [4]), ([0], "P0", [2])),
        graph(([0], "P1303", [2]), ([0], "P9999", [4])),
        graph(([], "P1303", [2])),
    ]
    content = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)
    (tmp_path / "wiki_train_new.json").write_text(content)
    example, unknown, empty = read_from(tmp_path)
    assert [(r.label, r.head.text, r.tail.spans) for r in example.relations] == [
        ("instrument", "Tom", ((10, 16),)),
        ("instrument", "Ann", ((25, 31),)),
    ]
    assert (unknown.reason, empty.reason) == (Reason.UNKNOWN_LABEL, Reason.OFFSET_MISMATCH)


def table(tmp_path, *rows: tuple[str, str, str, str]) -> None:
    with open(tmp_path / "val_data_7.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["passages", "contexts", "answers", "entity_relations", "entities", "posterier_contexts"])
        for text, head, name, tail in rows:
            writer.writerow([text, "answer: x", f"{tail} </s>", f"{head} {name}".strip(), head, "answer: y"])


def test_the_table_is_read(tmp_path):
    table(
        tmp_path,
        ('Tom , " the hat " , plays guitar and guitar .', "Tom", "instrument", "guitar guitar"),
        ("Ann sails .", "Ann", "sport", "sails"),
        ("Ann sails with Tom .", "Ann", "spouse", "Tom"),
        ("Ann sails .", "", "sport", "sails"),
        ("Ann sails .", "Ann", "sport", ""),
        ("Ann sails .", "Ann", "hobby", "sails"),
        ("Dil is in Hindi .", "Dil", "original language of work", "Hindi"),
    )
    guitar, sails, *bad, hindi = read_from(tmp_path)
    assert [(r.label, r.head.text, r.tail.text) for r in guitar.relations] == [("instrument", "Tom", "guitar")]
    assert [(r.label, r.head.text, r.tail.text) for r in sails.relations] == [("sport", "Ann", "sails")]
    assert [record.reason for record in bad] == [Reason.MISSING_FIELD, Reason.MISSING_FIELD, Reason.UNKNOWN_LABEL]
    assert bad[0].place == "val_data_7.csv:5"
    assert hindi.relations[0].label == "original language of film or TV show"


@pytest.mark.parametrize(
    ("string", "expected"),
    [("The Arch Arch", "The Arch"), ("The Arch of Vex", "The Arch of Vex"), ("Hull Hull Hull", "Hull"), ("Vexx", "")],
)
def test_first_mention_is_the_longest_prefix_in_the_text(string, expected):
    assert first_mention("The Arch of Vex , near Hull .", string) == expected


def test_the_original_is_preferred_to_derived_forms(tmp_path):
    table(tmp_path, ("Ann sails .", "Ann", "sport", "sails"))
    (tmp_path / "wiki_train_new.json").write_text(json.dumps([graph(([0], "P1303", [2]))]))
    source_files = find(wiki_zsl.SOURCES["3"], list_files(str(tmp_path)))
    assert [file.name for file in source_files.splits["test"]] == ["wiki_train_new.json"]
    assert [file.name for file in source_files.ignored] == ["val_data_7.csv"]


def test_a_draw_never_changes():
    assert len(wiki_zsl.RELATIONS) == 113
    draws = [frozenset(source.relation_labels) for source in wiki_zsl.SOURCES.values()]
    assert [len(relations) for relations in draws] == [15] * 5 and len(set(draws)) == 5
    assert {label.name for label in wiki_zsl.SOURCES["3"].relation_labels.values()} == DRAW_3
    assert [source.name for source in wiki_zsl.SOURCES.values()] == [f"wiki_{number}" for number in range(5)]
