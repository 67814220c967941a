"""Annotations are sampled per label, whatever the order and partition of the examples."""

from hypothesis import given
from hypothesis import strategies as st

from hard_negatives.samples import CONTEXT_CHARS, MAX_CONTEXT_CHARS, Sample, draw, merge
from schemas.example import Argument, Entity, Event, Example, Mention, Relation


def example(number: int, text: str = "", tasks=("NER",), entities=None, relations=None, events=None) -> Example:
    return Example(f"toy/train/{number}", "Toy", "train", "en", text, tasks, entities, relations, events)


def at(text: str, part: str) -> Mention:
    start = text.index(part)
    return Mention(part, ((start, start + len(part)),))


def samples(drawn) -> dict:
    return {label: [sample for _, sample in kept] for label, kept in drawn.items()}


def test_an_entity_has_its_context():
    text = "x" * 100 + " Rome " + "y" * 100
    drawn = draw([example(0, text, entities=(Entity("city", at(text, "Rome")),))], ["NER"], 9)
    context = "x" * (CONTEXT_CHARS - 1) + " Rome " + "y" * (CONTEXT_CHARS - 1)
    assert samples(drawn) == {("NER", "city"): [Sample((("Rome",),), (), context)]}


def test_a_relation_has_two_slots_and_the_types_of_its_ends():
    text = "Ada was born in London"
    ada, london = at(text, "Ada"), at(text, "London")
    related = example(
        0,
        text,
        ("RE", "SPO"),
        entities=(Entity("person", ada), Entity("city", london), Entity("person", london)),
        relations=(Relation("born in", ada, london), Relation("lives in", ada, london, "writer", "town")),
    )
    assert samples(draw([related], ["RE", "SPO", "NER"], 9)) == {
        ("RE", "born in"): [Sample((("Ada",), ("London",)), ("person", "city"), text)],
        ("RE", "lives in"): [Sample((("Ada",), ("London",)), ("writer", "town"), text)],
        ("SPO", "writer_lives in_town"): [Sample((("Ada",), ("London",)), ("writer", "town"), text)],
    }


def test_ends_without_a_known_type_have_none():
    text = "Ada was born in London"
    related = example(
        0, text, ("RE",), (Entity("person", at(text, "Ada")),), (Relation("r", at(text, "Ada"), Mention("X")),)
    )
    assert samples(draw([related], ["RE"], 9)) == {("RE", "r"): [Sample((("Ada",), ("X",)), (), text)]}


def test_an_event_has_its_trigger_and_its_arguments():
    text = "They met in Rome on Monday"
    arguments = (Argument("place", at(text, "Rome")), Argument("time", at(text, "Monday")))
    events = (Event("meet", at(text, "met"), arguments), Event("talk", None, arguments[:1]))
    assert samples(draw([example(0, text, ("EE",), events=events)], ["EE"], 9)) == {
        ("EE", "meet"): [Sample((("met",), ("Rome", "Monday")), (), text)],
        ("EE", "talk"): [Sample(((), ("Rome",)), (), "")],
    }


def test_attributes_count_for_the_type_of_their_entity():
    pair = Mention("Lighthouse"), Mention("1901")
    relations = (Relation("built", *pair, head_label="building"), Relation("lit", *pair))
    assert list(draw([example(0, "", ("KG",), relations=relations)], ["KG"], 9)) == [("KG", "building")]


def test_far_ends_have_a_bounded_context():
    text = "Ada " + "x" * 1000 + " London"
    related = example(0, text, ("RE",), relations=(Relation("r", at(text, "Ada"), at(text, "London")),))
    assert [s.context for s in samples(draw([related], ["RE"], 1))["RE", "r"]] == [text[:MAX_CONTEXT_CHARS]]


def test_tasks_that_an_example_does_not_have_give_no_samples():
    related = example(0, "Rome", ("RE",), (Entity("city", Mention("Rome")),), ())
    assert draw([related], ["NER", "RE"], 9) == {}
    assert draw([example(0, "Rome", ("NER",), None)], ["NER"], 9) == {}


def cities(count: int) -> list[Example]:
    return [
        example(n, "", entities=(Entity("city", Mention(f"c{n}")), Entity("city", Mention(f"d{n}"))))
        for n in range(count)
    ]


@given(st.permutations(range(30)), st.integers(1, 12), st.integers(0, 70))
def test_any_order_and_any_parts_give_the_same_draw(order, size, per_label):
    examples = cities(30)
    expected = draw(examples, ["NER"], per_label)
    shuffled = [examples[n] for n in order]
    parts = [draw(shuffled[n : n + size], ["NER"], per_label) for n in range(0, 30, size)]
    merged = merge([merge(parts[:2], per_label), merge(parts[2:], per_label)], per_label)
    assert {key: kept for key, kept in merged.items() if kept} == {key: kept for key, kept in expected.items() if kept}


def test_the_draw_is_spread_over_the_corpus():
    drawn = samples(draw(cities(1_000), ["NER"], 40))["NER", "city"]
    numbers = sorted(int(sample.slots[0][0][1:]) for sample in drawn)
    assert len(set(drawn)) == 40
    assert numbers[0] < 150 and numbers[-1] > 850 and 5 < sum(n < 500 for n in numbers) < 35
