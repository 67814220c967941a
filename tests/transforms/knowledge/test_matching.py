"""Facts of linked paragraphs: graph, types, values, other names, the nearest mentions, and unknown relations."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.knowledge import Item, LinkedMention, LinkedParagraph, MatchedParagraph, Paragraph, Statement
from transforms.knowledge.matching import match
from transforms.knowledge.themes import fits, load

THEMES = load()
ADA, BEN, PORT, LAND, YARD, GUILD, PARISH = 1, 2, 3, 4, 5, 6, 7
TYPES = {
    ADA: ("human",),
    BEN: ("human",),
    PORT: ("geographic_region",),
    LAND: ("geographic_region",),
    YARD: ("organization",),
    GUILD: ("organization",),
    PARISH: ("geographic_region",),
}


def item(qid: int, *statements: Statement, names: tuple[str, ...] = ("name",), types=None) -> Item:
    kinds = TYPES.get(qid, ()) if types is None else types
    neighbours = frozenset(statement.item for statement in statements if statement.item is not None)
    return Item(qid, names[0], names, kinds, statements, neighbours)


def to(number: int, qid: int) -> Statement:
    return Statement(number, "item", item=qid)


def date(number: int, text: str, precision: int = 11) -> Statement:
    return Statement(number, "time", text=text, precision=precision)


def linked(text: str, mentions: list[tuple[str, int]], page: int | None = None, lang: str = "en") -> LinkedParagraph:
    """Mentions are given in the order in which they occur in the text."""
    spans, place = [], 0
    for surface, qid in mentions:
        start = text.index(surface, place)
        place = start + len(surface)
        spans.append(LinkedMention(start, place, "name", qid, TYPES.get(qid, ())))
    return LinkedParagraph(Paragraph("p", lang, text, None, page), tuple(spans))


def run(paragraph: LinkedParagraph, *items: Item, theme: str | None = "Person") -> MatchedParagraph:
    return match(paragraph, {each.qid: each for each in items}, THEMES, theme)


def facts(matched: MatchedParagraph) -> list[tuple[str, str, str]]:
    text = matched.paragraph.text
    spell = [text[mention.start : mention.end] for mention in matched.mentions]
    return [(spell[fact.head], fact.relation, spell[fact.tail]) for fact in matched.facts]


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
        ("I left Port.", "en", True),
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
