"""The brat standoff reader on small pairs of files: spans, relations, events and broken lines."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation, surface
from schemas.label import UnknownLabel
from tests.strategies import SPANNED_MENTIONS
from transforms.files import list_files
from transforms.formats import brat

TEXT = "Heart and lung cells divide."
HEART = Mention("Heart", ((0, 5),))
LUNG_CELLS = Mention("lung cells", ((10, 20),))
HEART_CELLS = Mention("Heart cells", ((0, 5), (15, 20)))
DIVIDE = Mention("divide", ((21, 27),))


def read(folder: Path, files: dict[str, str | bytes], **options):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(brat.read(list_files(str(folder)), **options))


def read_one(folder: Path, ann: str, text: str = TEXT, **options):
    [record] = read(folder, {"d.ann": ann, "d.txt": text}, **options)
    return record


def test_entities_relations_and_events(tmp_path):
    ann = """\
T1\tOrgan 0 5\tHeart
E1\tDivision:T4 agent:T2 agent2:T3 cause:E2
T2\tCell 10 20\tlung cells
T3\tCell 0 5;15 20\tHeart cells
T4\tDivision 21 27\tdivide
T5\tGrowth 6 9\tand
E2\tGrowth:T5\x20
R1\tpart-of Arg1:T3 Arg2:T1\t
A1\tNegated E1
#1\tAnnotatorNotes T1\tsure?
*\tEquiv T2 T3
N1\tReference T1 Wikidata:Q1072\theart
N2\tReference T3 CL:0000746\tcardiac muscle cell
N3\tReference T3 Wikidata:Q1
N4\tReference E1 GO:0051301\tcell division

"""
    assert read_one(tmp_path, ann) == RawExample(
        "d.ann:1",
        TEXT,
        entities=(
            Entity("Organ", HEART, "T1", ("Wikidata:Q1072",)),
            Entity("Cell", LUNG_CELLS, "T2"),
            Entity("Cell", HEART_CELLS, "T3", ("CL:0000746", "Wikidata:Q1")),
        ),
        relations=(Relation("part-of", HEART_CELLS, HEART, "Cell", "Organ", "T3", "T1"),),
        events=(
            Event(
                "Division",
                DIVIDE,
                (
                    Argument("agent", LUNG_CELLS, "T2"),
                    Argument("agent", HEART_CELLS, "T3"),
                    Argument("cause", Mention("and", ((6, 9),))),
                ),
            ),
            Event("Growth", Mention("and", ((6, 9),))),
        ),
    )


def test_entity_types_can_be_restricted(tmp_path):
    ann = "T1\tOrgan 0 5\tHeart\nT2\tCell 10 20\tlung cells\nR1\tnear Arg1:T1 Arg2:T2\n"
    example = read_one(tmp_path, ann, to_example=lambda place, doc: brat.all_layers(place, doc, {"Cell"}))
    assert example.entities == (Entity("Cell", LUNG_CELLS, "T2"),)
    assert example.relations == (Relation("near", HEART, LUNG_CELLS, "Organ", "Cell", None, "T2"),)


def test_pairs_are_matched_per_folder_and_sorted_by_name(tmp_path):
    files = {
        "b/x.txt": "second",
        "b/x.ann": "T1\tN 0 6\tsecond\n",
        "a/x.ann": "",
        "a/x.txt": "first\n",
        "a/x.y.txt": "dotted",
        "a/x.y.ann": "",
    }
    assert read(tmp_path, files) == [
        RawExample("a/x.ann:1", "first", (), (), ()),
        RawExample("a/x.y.ann:1", "dotted", (), (), ()),
        RawExample("b/x.ann:1", "second", (Entity("N", Mention("second", ((0, 6),)), "T1"),), (), ()),
    ]


@pytest.mark.parametrize(("there", "missing"), [("a/x.txt", "a/x.ann"), ("a/x.ann", "a/x.txt")])
def test_a_missing_file_in_a_pair_is_reported(tmp_path, there, missing):
    suffix = Path(missing).suffix
    good = RawExample("a/y.ann:1", "y", (), (), ())
    bad, other = read(tmp_path, {there: "", "a/y.txt": "y", "a/y.ann": "", f"b/x{suffix}": ""})[:2]
    assert bad.place == f"{there}:1"
    assert bad.reason == Reason.MISSING_FIELD
    assert missing in bad.detail
    assert other == good


def test_spans_are_sorted_by_position(tmp_path):
    example = read_one(tmp_path, "T1\tCell 15 20;0 5\tcells Heart\n")
    assert example.entities == (Entity("Cell", HEART_CELLS, "T1"),)


def test_a_line_end_within_a_mention_is_a_blank_in_its_surface(tmp_path):
    example = read_one(tmp_path, "T1\tN 2 5\tb c\n", "a b\nc d")
    [entity] = example.entities
    assert entity.mention == Mention("b\nc", ((2, 5),))


def test_a_wrong_mention_text_is_kept_for_the_repair(tmp_path):
    [entity] = read_one(tmp_path, "T1\tCell 9 19\tlung cells\n").entities
    assert entity.mention == Mention("lung cells", ((9, 19),))


@pytest.mark.parametrize("counted", ["one", "two"])
def test_offsets_may_count_crlf_as_one_or_two_characters(tmp_path, counted):
    starts = {"one": (4, 8), "two": (5, 10)}[counted]
    ann = f"T1\tN {starts[0]} {starts[0] + 3}\ttwo\r\nT2\tN {starts[1]} {starts[1] + 5}\tthree\r\n"
    example = read_one(tmp_path, ann, "one\r\ntwo\r\nthree\r\n")
    assert example.text == "one\ntwo\nthree"
    assert [entity.mention for entity in example.entities] == [
        Mention("two", ((4, 7),)),
        Mention("three", ((8, 13),)),
    ]


def test_offsets_count_code_points_after_a_byte_order_mark(tmp_path):
    [entity] = read_one(tmp_path, "\ufeffT1\tN 3 4\tb\n", "\ufeff𝒜é b").entities
    assert entity.mention == Mention("b", ((3, 4),))


BROKEN = {
    "no tabs": ("T1 Organ 0 5 Heart", 1, Reason.WRONG_COLUMNS),
    "no text": ("T1\tOrgan 0 5", 1, Reason.WRONG_COLUMNS),
    "no end": ("T1\tOrgan 0\tHeart", 1, Reason.WRONG_COLUMNS),
    "no number": ("T1\tOrgan 0 x\tHeart", 1, Reason.WRONG_COLUMNS),
    "behind the text": ("\nT1\tOrgan 22 29\tdivide.", 2, Reason.OFFSET_MISMATCH),
    "backwards": ("T1\tOrgan 5 0\tHeart", 1, Reason.OFFSET_MISMATCH),
    "empty span": ("T1\tOrgan 5 5\t", 1, Reason.OFFSET_MISMATCH),
    "cut short": ("T1\tOrgan 0 5\tHea", 1, Reason.OFFSET_MISMATCH),
    "second piece outside": ("T1\tOrgan 0 5;15 99\tHeart cells", 1, Reason.OFFSET_MISMATCH),
    "unknown trigger": ("T1\tOrgan 0 5\tHeart\nE1\tDivision:T2", 2, Reason.BROKEN_RECORD),
    "event as trigger": ("T1\tN 0 5\tHeart\nE1\tN:T1\nE2\tN:E1", 3, Reason.BROKEN_RECORD),
    "before the text": ("T1\tOrgan -5 0\tHeart", 1, Reason.OFFSET_MISMATCH),
    "trigger outside": ("E1\tDivision:T1\nT1\tDivision 21 99\tdivide", 2, Reason.OFFSET_MISMATCH),
    "three ends": ("T1\tN 0 5\tHeart\nR1\thas a:T1 b:T1 c:T1", 2, Reason.WRONG_COLUMNS),
    "no relation": ("R1", 1, Reason.WRONG_COLUMNS),
    "no event": ("E1\t", 1, Reason.WRONG_COLUMNS),
    "argument without id": ("T1\tN 0 5\tHeart\nE1\tN:T1 agent", 2, Reason.WRONG_COLUMNS),
    "id twice": ("T1\tN 0 5\tHeart\nT1\tN 0 5\tHeart", 2, Reason.BROKEN_RECORD),
    "unknown kind": ("X1\tOrgan 0 5\tHeart", 1, Reason.BROKEN_RECORD),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_first_broken_line_makes_the_document_a_bad_record(tmp_path, case):
    ann, line, reason = BROKEN[case]
    first, second = read(tmp_path, {"d.ann": ann + "\n", "d.txt": TEXT, "e.ann": "", "e.txt": TEXT})
    assert isinstance(first, BadRecord)
    assert (first.place, first.reason) == (f"d.ann:{line}", reason)
    assert second == RawExample("e.ann:1", TEXT, (), (), ())


@pytest.mark.parametrize(
    ("line", "reason", "unknown"),
    [
        ("R2\thas Arg1:T1 Arg2:T9", Reason.MISSING_FIELD, {UnknownLabel("relations", "has")}),
        ("R2\thas Arg1:E9 Arg2:T9", Reason.MISSING_FIELD, {UnknownLabel("relations", "has")}),
        ("E2\tGrowth:T3 agent:T1 agent:T9", Reason.MISSING_FIELD, {UnknownLabel("events", "Growth")}),
        ("N1\tReference T9 Wikidata:Q1\tno such line", Reason.BROKEN_RECORD, set()),
        ("N1\tReference T1 Q1", Reason.BROKEN_RECORD, set()),
        ("N1\tReference", Reason.BROKEN_RECORD, set()),
    ],
)
def test_only_relations_and_arguments_with_missing_ids_are_lost(tmp_path, line, reason, unknown):
    ann = "T1\tOrgan 0 5\tHeart\nT2\tCell 10 20\tlung cells\nT3\tDivision 21 27\tdivide\n"
    ann += f"R1\tnear Arg1:T1 Arg2:T2\nE1\tDivision:T3 agent:T2\n{line}\n"
    example = read_one(tmp_path, ann)
    assert example.relations == (Relation("near", HEART, LUNG_CELLS, "Organ", "Cell", "T1", "T2"),)
    kept = (Event("Division", DIVIDE, (Argument("agent", LUNG_CELLS, "T2"),)),)
    if line.startswith("E"):
        kept += (Event("Growth", DIVIDE, (Argument("agent", HEART, "T1"),)),)
    assert example.events == kept
    assert {(lost.place, lost.reason) for lost in example.lost} == {("d.ann:6", reason)}
    assert {label for lost in example.lost for label in lost.unknown} == unknown
    assert [entity.concepts for entity in example.entities] == [(), ()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_random_documents_are_read_back(tmp_path, data):
    text = data.draw(st.text("ab é药𝒜.", min_size=1).filter(str.strip))
    drawn = [mention(text) for mention in data.draw(st.lists(SPANNED_MENTIONS, max_size=4))]
    ann = "".join(
        f"T{n}\tN {';'.join(f'{s} {e}' for s, e in mention.spans)}\t{mention.text}\n"
        for n, mention in enumerate(drawn, 1)
    )
    example = read_one(tmp_path, ann, text)
    assert example.text == text
    assert [entity.mention for entity in example.entities] == drawn
    assert all(surface(text, entity.mention.spans) == entity.mention.text for entity in example.entities)
