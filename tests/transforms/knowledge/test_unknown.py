"""Relations that must not be asked of a text."""

import pytest

from schemas.knowledge import Statement
from tests.transforms.knowledge.people import ADA, BEN, LAND, PORT, TYPES, date, item, linked, run, to

BORN = linked("Ada was born in Port. Ben is her son.", [("Ada", ADA), ("Port", PORT), ("Ben", BEN)], page=ADA)

UNKNOWN = Statement(19, "unknown")


@pytest.mark.parametrize(
    ("statements", "is_unknown"),
    [
        ([], True),  # the graph says nothing about Ada's birth
        ([to(19, LAND)], False),  # another place
        ([UNKNOWN], True),
        ([UNKNOWN, to(19, LAND)], False),
        ([to(20, LAND)], True),
    ],
)
def test_unknown_relations(statements, is_unknown):
    paragraph = linked("Ada was born in Port.", [("Ada", ADA), ("Port", PORT)])
    assert ("place of birth" in run(paragraph, item(ADA, *statements), item(PORT)).unknown) == is_unknown


def test_relations_without_a_possible_end_are_safe():
    only_place = run(linked("Port lies in Land in 1999.", [("Port", PORT), ("Land", LAND)]), item(PORT), item(LAND))
    assert only_place.unknown == ()
    only_person = run(linked("Ada won.", [("Ada", ADA)]), item(ADA, names=("Ada", "Lady Coal")))
    assert only_person.unknown == ()
    assert run(linked("Ada won.", [("Ada", ADA)]), item(ADA)).unknown == ("alternative name",)


def test_a_relation_is_unknown_if_one_of_its_possible_heads_is_undecided():
    paragraph = linked("Ada and Ben left Port.", [("Ada", ADA), ("Ben", BEN), ("Port", PORT)])
    decided = item(ADA, to(19, LAND))
    assert "place of birth" in run(paragraph, decided, item(BEN), item(PORT)).unknown
    assert "place of birth" not in run(paragraph, decided, item(BEN, to(19, LAND)), item(PORT)).unknown
    assert "place of birth" in run(paragraph, decided).unknown  # the graph has no item for Ben


def test_the_item_of_the_page_may_be_meant_without_a_name():
    paragraph = linked("Born in Port in 1950.", [("Port", PORT)], page=ADA)
    for statement in (to(19, PORT), to(20, LAND), date(569, "+1950-00-00T00:00:00Z", 9)):
        matched = run(paragraph, item(ADA, statement), item(PORT), theme=None)
        assert matched.theme == "Person" and not matched.facts
        assert {"place of birth", "date of birth"} <= set(matched.unknown)
    decided = run(paragraph, item(ADA, to(19, LAND), date(569, "+1951-00-00T00:00:00Z", 9)), item(PORT), theme=None)
    assert not {"place of birth", "date of birth"} & set(decided.unknown)
    swapped = linked("Written in Port.", [("Port", PORT)], page=ADA)
    assert "capital" in run(swapped, item(ADA, types=TYPES[LAND]), item(PORT, to(1376, ADA)), theme=None).unknown


@pytest.mark.parametrize(
    ("text", "lang", "is_unknown"),
    [
        ("He left Port.", "en", True),
        ("Here, Port is nice.", "en", False),
        ("It left Port.", "en", True),
        ("In May, Eve Marrow left Port.", "en", True),
        ("In May 1913 all left Port. Here is nothing.", "en", False),
        ("她离开了Port。", "zh", True),
        ("在Port。", "zh", False),
    ],
)
def test_pronouns_and_other_names_without_a_page(text, lang, is_unknown):
    matched = run(linked(text, [("Port", PORT)], lang=lang), item(PORT))
    assert ("place of birth" in matched.unknown) == is_unknown
    on_page = run(linked(text, [("Port", PORT)], page=ADA, lang=lang), item(PORT), item(ADA, to(19, LAND)))
    assert "place of birth" not in on_page.unknown


@pytest.mark.parametrize(
    ("text", "lang", "is_tail"),
    [
        ("Ada married Eve Low.", "en", True),
        ("The Ada was married in December 1950.", "en", False),
        ("Ada写了《水》。", "zh", True),
        ("Ada写了书。", "zh", False),
    ],
)
def test_names_that_are_not_linked_may_be_tails(text, lang, is_tail):
    on_page = run(linked(text, [("Ada", ADA)], page=ADA, lang=lang), item(ADA), theme=None)
    assert ("spouse" in on_page.unknown) == is_tail
    decided = run(linked(text, [("Ada", ADA)], page=ADA, lang=lang), item(ADA, to(26, BEN)), theme=None)
    assert "spouse" not in decided.unknown
    without_page = run(linked(text, [("Ada", ADA)], lang=lang), item(ADA, to(19, BEN), to(26, BEN)))
    assert ("spouse" in without_page.unknown) == is_tail


def test_a_swapped_property_decides_from_the_side_of_the_tail():
    paragraph = linked("Ada and Ben.", [("Ada", ADA), ("Ben", BEN)])
    assert "parent" in run(paragraph, item(ADA, to(40, LAND)), item(BEN)).unknown
    assert "parent" not in run(paragraph, item(ADA, to(40, LAND)), item(BEN, to(40, LAND))).unknown


@pytest.mark.parametrize(
    ("text", "is_unknown"),
    [
        ("Ada was born.", False),
        ("Ada was born on 5 June 1950.", False),
        ("Ada was born in 1950.", True),
        ("Ada was born in May 1950.", True),
        ("Ada was born in June 1950.", False),
    ],
)
def test_a_less_precise_date_may_be_the_value(text, is_unknown):
    birth = date(569, "+1950-05-04T00:00:00Z")
    matched = run(linked(text, [("Ada", ADA)]), item(ADA, birth))
    assert ("date of birth" in matched.unknown) == is_unknown
    assert not matched.facts


@pytest.mark.parametrize(
    ("text", "is_unknown"),
    [("Port has 900 inhabitants.", True), ("Port is 5 km long.", False), ("Port is nice.", False)],
)
def test_other_numbers_of_the_dimension_are_unknown(text, is_unknown):
    matched = run(
        linked(text, [("Port", PORT)]),
        item(PORT, Statement(1082, "quantity", text="+1000")),
        theme="Geographic_Location",
    )
    assert ("population" in matched.unknown) == is_unknown


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("Port has 12 piers.", {"population"}),
        ("Port has 12 km of piers.", {"length", "width", "height", "elevation above sea level"}),
        ("Port covers 12 acres.", {"area"}),
        ("Port has 12 kg of gold since 1950.", set()),
    ],
)
def test_numbers_of_other_dimensions_are_no_tails(text, unknown):
    matched = run(linked(text, [("Port", PORT)]), item(PORT), theme="Geographic_Location")
    assert set(matched.unknown) - {"alternative name", "located in"} == unknown


def test_a_value_with_a_fact_is_no_tail_of_another_relation():
    text = "Port is 12 km long and lies at 5 m."
    port = item(PORT, Statement(2043, "quantity", text="+12", unit=828224))
    matched = run(linked(text, [("Port", PORT)]), port, theme="Geographic_Location")
    assert "width" in matched.unknown
    shorter = run(linked(text[:18], [("Port", PORT)]), port, theme="Geographic_Location")
    assert [fact.relation for fact in shorter.facts] == ["length"]
    assert not {"width", "height"} & set(shorter.unknown)
    born = linked("Ada was born on 4 May 1950.", [("Ada", ADA)])
    assert "date of death" not in run(born, item(ADA, date(569, "+1950-05-04T00:00:00Z"))).unknown
    assert "date of death" in run(born, item(ADA)).unknown
