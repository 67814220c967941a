"""Facts of linked paragraphs: graph, types, values, other names, the nearest mentions, and unknown relations."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.knowledge import Item, LinkedMention, LinkedParagraph, Paragraph, Statement
from tests.transforms.knowledge.people import (
    ADA,
    BEN,
    LAND,
    PARISH,
    PORT,
    THEMES,
    TYPES,
    YARD,
    date,
    facts,
    item,
    linked,
    run,
    to,
)
from transforms.knowledge.matching import match
from transforms.knowledge.themes import fits

BORN = linked("Ada was born in Port. Ben is her son.", [("Ada", ADA), ("Port", PORT), ("Ben", BEN)], page=ADA)


def test_relations_between_items():
    matched = run(BORN, item(ADA, to(19, PORT), to(40, BEN)), item(BEN), item(PORT), theme=None)
    assert matched.theme == "Person"
    assert facts(matched) == [("Ada", "place of birth", "Port"), ("Ben", "parent", "Ada")]
    assert [fact.property for fact in matched.facts] == [19, 40]


def test_two_properties_of_one_relation_give_one_fact():
    matched = run(BORN, item(ADA, to(40, BEN)), item(BEN, to(25, ADA)), item(PORT))
    assert facts(matched) == [("Ben", "parent", "Ada")]
    assert matched.facts[0].property == 25


def test_both_directions_are_facts():
    matched = run(BORN, item(ADA, to(26, BEN)), item(BEN, to(26, ADA)))
    assert facts(matched) == [("Ada", "spouse", "Ben"), ("Ben", "spouse", "Ada")]


@pytest.mark.parametrize(
    ("types", "count"), [(("organization",), 0), (("human",), 1), ((), 1), (("other", "human"), 1)]
)
def test_types_must_fit(types, count):
    assert len(run(BORN, item(ADA, to(26, BEN)), item(BEN, types=types)).facts) == count


def test_properties_outside_the_theme_state_nothing():
    assert not run(BORN, item(ADA, to(19, PORT)), item(PORT), theme="Works").facts


def test_a_paragraph_without_a_theme_has_no_facts():
    matched = run(BORN, item(ADA, to(19, PORT), types=("other",)), item(PORT), theme=None)
    assert (matched.theme, matched.facts, matched.unknown) == (None, (), ())
    assert run(linked("Ada", [("Ada", ADA)]), item(ADA), theme=None).theme is None


def test_the_theme_of_a_page_without_a_known_item_is_that_of_its_mention():
    assert run(BORN, theme=None).theme == "Person"


def test_the_nearest_mentions_are_chosen():
    text = "Ada was rich. Port is where Ada was born. Port and Ada."
    mentions = [("Ada", ADA), ("Port", PORT), ("Ada", ADA), ("Port", PORT), ("Ada", ADA)]
    matched = run(linked(text, mentions), item(ADA, to(19, PORT)), item(PORT))
    (fact,) = matched.facts
    assert [matched.mentions[n].start for n in (fact.head, fact.tail)] == [text.rindex("Ada"), text.rindex("Port")]


def test_one_sentence_comes_before_a_short_distance():
    text = "Ada, who was later to be rich and famous, was born in Port. Ada left."
    matched = run(linked(text, [("Ada", ADA), ("Port", PORT), ("Ada", ADA)]), item(ADA, to(19, PORT)), item(PORT))
    assert [(fact.head, fact.tail) for fact in matched.facts] == [(0, 1)]


def test_values_become_mentions():
    text = "Ada (born 4 May 1950) met Ben."
    matched = run(
        linked(text, [("Ada", ADA), ("Ben", BEN)]),
        item(ADA, date(569, "+1950-05-04T00:00:00Z"), date(570, "+1999-05-04T00:00:00Z")),
        item(BEN),
    )
    assert facts(matched) == [("Ada", "date of birth", "4 May 1950")]
    assert matched.mentions[1] == LinkedMention(10, 20, "value", None, ("time",))
    assert [mention.start for mention in matched.mentions] == [0, 10, 26]


def test_an_item_is_not_related_to_itself():
    assert not run(BORN, item(ADA, to(26, ADA)), item(BEN)).facts
    year = linked("It happened in 1950.", [("1950", 9)])
    same = item(9, date(585, "+1950-00-00T00:00:00Z", 9), types=("event", "time"))
    year = LinkedParagraph(year.paragraph, (LinkedMention(15, 19, "name", 9, ("event", "time")),))
    assert not match(year, {9: same}, THEMES, "Event").facts


def test_less_precise_dates_are_facts_if_asked_for():
    paragraph, ada = linked("Ada was born in 1950.", [("Ada", ADA)]), item(ADA, date(569, "+1950-05-04T00:00:00Z"))
    assert not run(paragraph, ada).facts
    coarse = match(paragraph, {ADA: ada}, THEMES, "Person", coarse_dates=True)
    assert facts(coarse) == [("Ada", "date of birth", "1950")]
    assert "date of birth" not in coarse.unknown


def test_a_linked_year_is_the_value():
    linked_year = linked("Ada died in 1950.", [("Ada", ADA), ("1950", 9)])
    year = item(9, types=("time",))
    matched = run(linked_year, item(ADA, date(570, "+1950-00-00T00:00:00Z", 9)), year)
    mention = LinkedMention(12, 16, "name", 9, ("time",))
    paragraph = LinkedParagraph(linked_year.paragraph, (linked_year.mentions[0], mention))
    matched = match(paragraph, {ADA: item(ADA, date(570, "+1950-00-00T00:00:00Z", 9)), 9: year}, THEMES, "Person")
    assert matched.mentions == paragraph.mentions
    assert facts(matched) == [("Ada", "date of death", "1950")]


def test_a_value_in_the_name_of_its_head_counts():
    regatta = linked("The 1950 Regatta was won by Ada.", [("1950 Regatta", 8), ("Ada", ADA)])
    held = item(8, date(585, "+1950-00-00T00:00:00Z", 9), types=("event",))
    matched = run(regatta, held, item(ADA), theme="Event")
    assert facts(matched) == [("1950 Regatta", "occurrence time", "1950")]


def test_a_value_inside_another_mention_does_not_count_and_is_unknown():
    matched = run(
        linked("Ada saw the 1950 Regatta.", [("Ada", ADA), ("1950 Regatta", YARD)]),
        item(ADA, date(570, "+1950-00-00T00:00:00Z", 9)),
        item(YARD),
    )
    assert not matched.facts
    assert "date of death" in matched.unknown


def test_quantities_and_strings():
    text = "港口市（Porto）面积943平方公里，海拔5米。"
    matched = run(
        linked(text, [("港口市", PORT)], lang="zh"),
        item(
            PORT,
            Statement(2046, "quantity", text="+943", unit=712226),
            Statement(2044, "quantity", text="+5", unit=11573),
            Statement(1448, "string", text="Porto"),
        ),
        theme="Geographic_Location",
    )
    assert facts(matched) == [
        ("港口市", "alternative name", "Porto"),
        ("港口市", "area", "943平方公里"),
        ("港口市", "elevation above sea level", "5米"),
    ]
    assert [mention.types for mention in matched.mentions[1:]] == [("text",), ("measure",), ("measure",)]


def test_other_names():
    text = "Ada Marrow, known as Lady Coal, and Marrow. Ada (the Countess) is a Countess."
    mentions = [("Ada Marrow", ADA), ("Lady Coal", ADA), ("Marrow", ADA), ("Ada", ADA)]
    matched = run(linked(text, mentions), item(ADA, names=("Ada Marrow", "Lady Coal", "Countess")))
    assert facts(matched) == [("Ada Marrow", "alternative name", "Lady Coal"), ("Ada", "alternative name", "Countess")]
    assert [fact.property for fact in matched.facts] == [0, 0]


@pytest.mark.parametrize(
    ("text", "lang", "is_stated"),
    [
        ("Ada (Lady Coal)", "en", True),
        ("Ada, nicknamed “Lady Coal”", "en", True),
        ("Ada sailed. Lady Coal won.", "en", False),
        ("Ada and Lady Coal", "en", False),
        ("Ada (who was long a pilot in the harbour, and a very good one) and Lady Coal", "en", False),
        ("Ada又称Lady Coal", "zh", True),
        ("Ada，Lady Coal", "zh", False),
    ],
)
def test_names_must_be_introduced(text, lang, is_stated):
    paragraph = linked(text, [("Ada", ADA), ("Lady Coal", ADA)], lang=lang)
    matched = run(paragraph, item(ADA, names=("Ada", "Lady Coal")))
    assert bool(matched.facts) == is_stated
    assert ("alternative name" in matched.unknown) != is_stated


def test_a_name_in_the_other_script_is_not_another_name():
    names = ("龙门国", "龍門國", "龙门岛国")
    paragraph = linked("龙门国（龍門國，又称龙门岛国）", [("龙门国", LAND), ("龍門國", LAND)], lang="zh")
    matched = run(paragraph, item(LAND, names=names), theme="Geographic_Location")
    assert [fact[1:] for fact in facts(matched)] == [("alternative name", "龙门岛国")]


def test_demonyms_state_where_a_person_is_from_but_not_where_a_place_is():
    graph = [item(LAND, names=("Ostria", "Ostrian")), item(ADA, to(27, LAND)), item(PORT, to(17, LAND))]
    text = "Ada is an Ostrian pilot from Port."
    mentions = [("Ada", ADA), ("Ostrian", LAND), ("Port", PORT)]
    assert facts(run(linked(text, mentions), *graph)) == [("Ada", "country of citizenship", "Ostrian")]
    matched = run(linked(text, mentions), *graph, theme="Geographic_Location")
    assert not matched.facts and "located in" in matched.unknown
    matched = run(
        linked(f"{text} It lies in Ostria.", [*mentions, ("Ostria", LAND)]), *graph, theme="Geographic_Location"
    )
    assert facts(matched) == [("Port", "located in", "Ostria")]


def test_a_string_may_be_another_name():
    matched = run(linked("Ada (born Ada Low)", [("Ada", ADA)]), item(ADA, Statement(1477, "string", text="Ada Low")))
    assert not matched.facts
    matched = run(linked("Ada (born Eve Low)", [("Ada", ADA)]), item(ADA, Statement(1477, "string", text="Eve Low")))
    assert facts(matched) == [("Ada", "alternative name", "Eve Low")]
    assert matched.facts[0].property == 1477


PLACES = linked("Port, Parish, Land", [("Port", PORT), ("Parish", PARISH), ("Land", LAND)])


@pytest.mark.parametrize(
    ("statements", "kept"),
    [
        ({PORT: [PARISH, LAND], PARISH: [LAND]}, [("Port", "Parish"), ("Parish", "Land")]),
        ({PORT: [LAND], PARISH: [LAND]}, [("Port", "Land"), ("Parish", "Land")]),
        (
            {PORT: [PARISH, LAND], PARISH: [PORT, LAND]},
            [("Port", "Parish"), ("Port", "Land"), ("Parish", "Port"), ("Parish", "Land")],
        ),
        (
            {PORT: [PARISH, LAND], PARISH: [LAND], LAND: [PARISH]},
            [("Port", "Parish"), ("Port", "Land"), ("Parish", "Land"), ("Land", "Parish")],
        ),
    ],
)
def test_transitive_reduction(statements, kept):
    items = [item(qid, *(to(131, other) for other in statements.get(qid, ()))) for qid in (PORT, PARISH, LAND)]
    matched = run(PLACES, *items, theme="Geographic_Location")
    assert [(head, tail) for head, relation, tail in facts(matched)] == kept


QIDS = st.sampled_from(sorted(TYPES))
STATEMENTS = st.one_of(
    st.builds(to, st.sampled_from([19, 20, 22, 26, 40, 50, 54, 69, 112, 131, 150, 463]), QIDS),
    st.builds(date, st.sampled_from([569, 570, 571]), st.just("+1950-05-04T00:00:00Z"), st.sampled_from([9, 10, 11])),
    st.builds(Statement, st.just(2046), st.just("quantity"), text=st.just("+7"), unit=st.sampled_from([None, 712226])),
    st.builds(
        Statement, st.sampled_from([1448, 1477]), st.just("string"), text=st.sampled_from(["Coal", "Port", "Ada"])
    ),
    st.builds(Statement, st.sampled_from([19, 569]), st.just("unknown")),
)
ITEMS = st.dictionaries(
    QIDS,
    st.tuples(
        st.lists(STATEMENTS, max_size=6), st.sampled_from([("human",), ("geographic_region",), ("organization",), ()])
    ),
)
WORDS = st.lists(
    st.tuples(st.sampled_from(["Ada", "Coal Port", "Port", "4 May 1950", "1950", "7 km²"]), st.none() | QIDS),
    max_size=9,
)
SEPARATORS = st.sampled_from([" ", ". ", ", "])


def build(words: list[tuple[str, int | None]], separator: str, page: int | None) -> LinkedParagraph:
    text, mentions = "", []
    for word, qid in words:
        if qid is not None:
            mentions.append(LinkedMention(len(text), len(text) + len(word), "name", qid, TYPES[qid]))
        text += word + separator
    return LinkedParagraph(Paragraph("p", "en", text, None, page), tuple(mentions))


@given(WORDS, SEPARATORS, st.none() | QIDS, ITEMS, st.sampled_from(sorted(THEMES.themes)), st.randoms())
def test_facts_satisfy_the_schema_whatever_the_order(words, separator, page, contents, theme, shuffle: random.Random):
    paragraph = build(words, separator, page)
    items = {qid: item(qid, *statements, types=types) for qid, (statements, types) in contents.items()}
    matched = match(paragraph, items, THEMES, theme)
    relations = {relation.key: relation for relation in THEMES.themes[theme].relations}

    def types(number: int) -> tuple[str, ...]:
        mention = matched.mentions[number]
        return items[mention.qid].types if mention.qid in items else mention.types

    for mention in matched.mentions:
        assert 0 <= mention.start < mention.end <= len(paragraph.paragraph.text)
    assert list(matched.mentions) == sorted(matched.mentions, key=lambda mention: (mention.start, mention.end))
    assert [mention for mention in matched.mentions if mention.kind != "value"] == list(paragraph.mentions)
    keys = [(fact.head, fact.tail, fact.relation) for fact in matched.facts]
    assert keys == sorted(set(keys))
    for fact in matched.facts:
        relation = relations[fact.relation]
        assert fact.head != fact.tail
        assert matched.mentions[fact.head].qid is not None
        assert fits(types(fact.head), relation.head) and fits(types(fact.tail), relation.tail)
        assert fact.property == 0 or fact.property in {number for number, _ in relation.properties}
    assert not {fact.relation for fact in matched.facts} & set(matched.unknown)
    assert set(matched.unknown) <= relations.keys()
    shuffled = list(items.values())
    shuffle.shuffle(shuffled)
    reordered = {
        each.qid: Item(
            each.qid,
            each.label,
            each.names,
            each.types,
            tuple(shuffle.sample(each.statements, len(each.statements))),
            each.neighbours,
        )
        for each in shuffled
    }
    assert match(paragraph, reordered, THEMES, theme) == matched


@given(WORDS, SEPARATORS, st.none() | QIDS, ITEMS)
def test_a_statement_that_is_left_out_leaves_its_relation_unknown(words, separator, page, contents):
    """If the graph had not known a fact between two items, the relation would not be asked as a negative."""
    paragraph = build(words, separator, page)
    items = {qid: item(qid, *statements, types=types) for qid, (statements, types) in contents.items()}
    matched = match(paragraph, items, THEMES, "Person")
    without = {qid: item(qid, types=each.types, names=each.names) for qid, each in items.items()}
    ignorant = match(paragraph, without, THEMES, "Person")
    stated = {fact.relation for fact in matched.facts}
    assert stated <= set(ignorant.unknown) | {fact.relation for fact in ignorant.facts}
