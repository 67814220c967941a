"""The PubTator reader on small blocks, and the choice of mentions for a relation between concepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation, surface
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import pubtator
from transforms.formats.pubtator import ConceptMentions, parse_concepts

BLOCK = """\
7|t|Tea and jaw pain.
7|a|Jaw and neck pain | after tea. No Xin.
7\t0\t3\tTea\tChemical\tC1
7\t8\t16\tjaw pain\tDisease\tD1
7\t18\t35\tJaw and neck pain\tDisease\tD1|D2\tJaw pain|neck pain
7\t44\t47\ttea\tChemical\tC1
7\t52\t55\tXin\tChemical\t-1
7\tCID\tC1\tD1
7\tCID\tC1\tD2
"""
TEXT = "Tea and jaw pain. Jaw and neck pain | after tea. No Xin."
TEA = Mention("Tea", ((0, 3),))
JAW = Mention("jaw pain", ((8, 16),))
NECK = Mention("Jaw and neck pain", ((18, 35),))
TEA_AGAIN = Mention("tea", ((44, 47),))
EXAMPLE = RawExample(
    "f.txt:1",
    TEXT,
    entities=(
        Entity("Chemical", TEA, concepts=("C1",)),
        Entity("Disease", JAW, concepts=("D1",)),
        Entity("Disease", NECK, concepts=("D1", "D2")),
        Entity("Chemical", TEA_AGAIN, concepts=("C1",)),
        Entity("Chemical", Mention("Xin", ((52, 55),))),
    ),
    relations=(
        Relation("CID", TEA, JAW, "Chemical", "Disease", "C1", "D1"),
        Relation("CID", TEA_AGAIN, NECK, "Chemical", "Disease", "C1", "D2"),
    ),
)


def read(tmp_path, content: str | bytes):
    path = tmp_path / "f.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(pubtator.read([File(str(path), "f.txt")]))


def test_a_block_is_an_example(tmp_path):
    assert all(surface(TEXT, entity.mention.spans) == entity.mention.text for entity in EXAMPLE.entities)
    assert read(tmp_path, BLOCK) == [EXAMPLE]


@pytest.mark.parametrize(
    "content",
    [
        BLOCK.replace("\n", "\r\n"),
        "\ufeff" + BLOCK,
        BLOCK.rstrip("\n"),
        BLOCK + "\n\n",
    ],
    ids=["crlf", "byte order mark", "no last newline", "blank lines at the end"],
)
def test_line_ends_and_blank_lines_give_the_same_documents(tmp_path, content):
    assert read(tmp_path, content) == [EXAMPLE]


def test_blocks_end_at_a_blank_line_or_the_next_title(tmp_path):
    places = [record.place for record in read(tmp_path, f"\n{BLOCK}\n{BLOCK}{BLOCK}")]
    assert places == ["f.txt:2", "f.txt:12", "f.txt:21"]  # a block has nine lines; an id may be repeated


def test_a_document_may_have_no_annotations_and_an_empty_abstract(tmp_path):
    assert read(tmp_path, "7|t|Tea.\n7|a|\n") == [RawExample("f.txt:1", "Tea. ", entities=(), relations=())]


def test_offsets_count_code_points(tmp_path):
    [example] = read(tmp_path, "7|t|𝒜é\n7|a|药 b\n7\t5\t6\tb\tChemical\tC1\n")
    assert example.text[5:6] == "b"


MENTION = "7\t0\t3\tTea\tChemical\tC1\n"
BROKEN = {
    "no title": (f"7|a|Tea.\n{MENTION}", 1, Reason.BROKEN_RECORD),
    "no abstract": (f"7|t|Tea.\n{MENTION}", 1, Reason.BROKEN_RECORD),
    "title only": ("7|t|Tea.\n", 1, Reason.BROKEN_RECORD),
    "another abstract": ("7|t|Tea.\n8|a|Good.\n", 1, Reason.BROKEN_RECORD),
    "another id": ("7|t|Tea.\n7|a|Good.\n8\t0\t3\tTea\tChemical\tC1\n", 3, Reason.BROKEN_RECORD),
    "4 columns": (f"7|t|Tea.\n7|a|Good.\n{MENTION}7\t0\t3\tTea\n", 4, Reason.WRONG_COLUMNS),
    "5 columns": ("7|t|Tea.\n7|a|Good.\n7\t0\t3\tTea\tChemical\n", 3, Reason.WRONG_COLUMNS),
    "8 columns": ("7|t|Tea.\n7|a|Good.\n7\t0\t3\tTea\tChemical\tC1\tx\ty\n", 3, Reason.WRONG_COLUMNS),
    "no number": ("7|t|Tea.\n7|a|Good.\n7\t0\tx\tTea\tChemical\tC1\n", 3, Reason.WRONG_COLUMNS),
    "negative": ("7|t|Tea.\n7|a|Good.\n7\t-4\t3\tTea\tChemical\tC1\n", 3, Reason.WRONG_COLUMNS),
    "outside": ("7|t|Tea.\n7|a|Good.\n7\t7\t11\tood.\tChemical\tC1\n", 3, Reason.OFFSET_MISMATCH),
    "backwards": ("7|t|Tea.\n7|a|Good.\n7\t3\t3\t\tChemical\tC1\n", 3, Reason.OFFSET_MISMATCH),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_first_broken_line_makes_the_document_a_bad_record(tmp_path, case):
    content, line, reason = BROKEN[case]
    bad, good = read(tmp_path, f"{content}\n{BLOCK}")
    assert isinstance(bad, BadRecord)
    assert (bad.place, bad.reason) == (f"f.txt:{line}", reason)
    assert good.entities == EXAMPLE.entities


def test_only_a_relation_to_an_unmentioned_concept_is_lost(tmp_path):
    (example,) = read(tmp_path, BLOCK + "7\tCID\tC1\tD9\n")
    assert (example.entities, example.relations) == (EXAMPLE.entities, EXAMPLE.relations)
    (lost,) = example.lost
    assert lost.reason == Reason.MISSING_FIELD and "D9" in lost.detail


@pytest.mark.parametrize(
    ("ids", "concepts"),
    [
        ("D014786|D006311", ("MESH:D014786", "MESH:D006311")),
        ("D007674+D006222", ("MESH:D007674", "MESH:D006222")),
        ("OMIM:300322+OMIM:102600", ("OMIM:300322", "OMIM:102600")),
        ("C1|OMIM:2", ("MESH:C1", "OMIM:2")),
        ("MESH:D1;MESH:D2", ("MESH:D1", "MESH:D2")),
        ("D1,D2", ("MESH:D1", "MESH:D2")),
        ("D014786 ", ("MESH:D014786",)),
        ("D1|D1", ("MESH:D1",)),
        ("D1|-1", ("MESH:D1",)),
        ("-1", ()),
        ("", ()),
    ],
)
def test_concepts_have_their_vocabulary(ids, concepts):
    assert parse_concepts(ids, "MESH") == concepts


def test_concepts_are_unchanged_without_a_vocabulary():
    assert parse_concepts("D1|OMIM:2", "") == ("D1", "OMIM:2")


def test_relations_refer_to_concepts_with_the_vocabulary(tmp_path):
    path = tmp_path / "f.txt"
    path.write_text(BLOCK)
    (example,) = pubtator.read([File(str(path), "f.txt")], vocabulary="MESH")
    assert [(r.head_entity, r.tail_entity) for r in example.relations] == [
        ("MESH:C1", "MESH:D1"),
        ("MESH:C1", "MESH:D2"),
    ]
    assert [r.head for r in example.relations] == [TEA, TEA_AGAIN]
    assert example.entities[2].concepts == ("MESH:D1", "MESH:D2")


def test_the_label_of_a_lost_relation_is_unknown(tmp_path):
    (example,) = read(tmp_path, BLOCK + "7\tCID\tC1\tD9\n")
    (lost,) = example.lost
    assert lost.place == "f.txt:10" and lost.unknown == (UnknownLabel("relations", "CID"),)


def grounded(*items):
    """(concepts, start) pairs → entities of five characters."""
    return [
        Entity("N", Mention("x" * 5, ((start, start + 5),)), concepts=tuple(concepts.split("|")))
        for concepts, start in items
    ]


def between(head, tail, entities):
    return ConceptMentions(entities).relation("r", head, tail)


def starts(relation):
    return relation.head.spans[0][0], relation.tail.spans[0][0]


def test_the_closest_pair_is_taken_in_either_order():
    entities = grounded(("A", 0), ("B", 100), ("A", 120), ("A", 190))
    assert starts(between("A", "B", entities)) == (120, 100)
    assert starts(between("B", "A", entities)) == (100, 120)


def test_ties_go_to_the_left_and_overlap_counts_as_zero():
    assert starts(between("A", "B", grounded(("B", 40), ("A", 30), ("B", 20)))) == (30, 20)
    assert starts(between("A", "B", grounded(("B", 14), ("A", 8), ("A", 90), ("B", 91)))) == (90, 91)
    assert starts(between("A", "B", grounded(("A", 0), ("B", 4), ("A", 90), ("B", 91)))) == (0, 4)


def test_a_mention_is_not_related_to_itself():
    assert between("A", "B", grounded(("A|B", 0))) is None
    assert starts(between("A", "B", grounded(("A|B", 0), ("B", 50)))) == (0, 50)


@given(
    st.lists(st.tuples(st.sampled_from(["A", "B", "A|B", "C"]), st.integers(0, 300)), max_size=8, unique=True),
    st.randoms(use_true_random=False),
)
def test_no_other_pair_is_closer_in_any_order(items, random):
    entities = grounded(*items)
    relation = between("A", "B", entities)
    gaps = [
        max(0, abs(h - t) - 5)
        for i, (a, h) in enumerate(items)
        for j, (b, t) in enumerate(items)
        if i != j and "A" in a and "B" in b
    ]
    if relation is None:
        assert gaps == []
        return
    head, tail = starts(relation)
    assert max(0, abs(head - tail) - 5) == min(gaps)
    shuffled = entities[:]
    random.shuffle(shuffled)
    again = starts(between("A", "B", shuffled))
    assert min(again) == min(head, tail) and max(again) == max(head, tail)


extents = st.tuples(st.integers(0, 12), st.integers(1, 9)).map(lambda item: (item[0], item[0] + item[1]))


@given(st.lists(st.tuples(st.sampled_from(["A", "B", "A|B"]), extents), max_size=9))
def test_the_pair_equals_an_exhaustive_search(items):
    entities = [
        Entity(str(n), Mention("x" * (end - start), ((start, end),)), concepts=tuple(concepts.split("|")))
        for n, (concepts, (start, end)) in enumerate(items)
    ]
    ranked = []
    for h, (head_concepts, head) in enumerate(items):
        for t, (tail_concepts, tail) in enumerate(items):
            if h != t and "A" in head_concepts and "B" in tail_concepts:
                (a, b), (c, d) = sorted((head, tail))
                ranked.append((max(0, c - b), a, c, d, b, h, t))
    relation = between("A", "B", entities)
    assert (relation and (relation.head_label, relation.tail_label)) == (
        tuple(map(str, min(ranked)[-2:])) if ranked else None
    )
