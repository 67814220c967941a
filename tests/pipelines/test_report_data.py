"""What the report is told of a build: counts that agree with the build's own, draws that are bounded and repeatable."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from pipelines import figures, report, report_samples
from pipelines.report_data import LABELS_A_SET, most_confused, payload
from pipelines.report_lengths import EDGES, histogram
from pipelines.report_samples import compact, draw_by_label, in_turn, within
from pipelines.token_estimate import CONTEXTS
from schemas.arrow import examples_to_table
from schemas.example import Argument, Entity, Event, Example, Mention, Relation


@pytest.fixture(scope="module")
def counts(small):
    return json.loads((small / "reports/stats.json").read_text())


@pytest.fixture(scope="module")
def shown(small, counts):
    return payload(str(small), counts)


def test_the_context_sizes_are_edges_of_the_histogram():
    assert set(CONTEXTS) <= set(EDGES)
    assert list(EDGES) == sorted(set(EDGES))


def test_a_source_without_a_domain_says_so(shown):
    domains = {key: source["domain"] for key, source in shown["sources"].items()}
    assert domains["IE-en/KG/lighthouses"] == "domain not told" and domains["anatem"] == "biomedical"


def test_a_bin_holds_what_is_above_the_edge_before_it_up_to_its_own():
    bins = histogram(np.array([0, 8, 9, 512, 513, 10**6]))
    at = EDGES.index(512)
    assert (bins[0], bins[1], bins[at], bins[at + 1], bins[-1]) == (2, 1, 1, 1, 1)
    assert bins.sum() == 6 and bins[at + 1 :].sum() == 2


def test_lengths_and_positives_count_every_text_and_instruction(shown, counts):
    for key, splits in counts["sources"].items():
        assert sum(shown["texts"][key]) == sum(of["kept"]["examples"] for of in splits.values())
        for task, of_task in counts["instructions_by_source"][key].items():
            of = shown["instructions"][key][task]
            assert sum(of["lengths"]) == sum(split["instructions"] for split in of_task.values())
            for split, n in of_task.items():
                positives = of["positives"].get(split, [0])  # a split may have been dropped, or ask for nothing
                assert sum(positives) == n["instructions"] and positives[0] == n["all_negative"]


def test_every_loss_is_told_with_its_stage(shown, counts):
    for key, splits in counts["sources"].items():
        for split, of in splits.items():
            told = shown["sources"][key]["splits"][split]
            both = {reason: told["bad"].get(reason, 0) + told["dropped"].get(reason, 0) for reason in of["rejected"]}
            assert both == of["rejected"]
            assert told["windows"] - sum(told["dropped"].values()) == told["kept"]["examples"]


def test_every_label_that_occurs_has_an_example(shown):
    for task, key, _, labels in shown["labels"]:
        if task == "NER":
            drawn = {label for _, _, entities, _, _ in shown["examples"][key] for label, _ in entities or ()}
            assert drawn == {label for label, *counts in labels if sum(counts)}


def test_rejects_tell_the_place_and_the_reason(shown):
    (bad,) = [row for row in shown["rejects"] if row[:2] == ["ingest", "clue_ner"]]
    assert bad[3] == "broken_json" and bad[4].endswith(tuple(f":{n}" for n in range(1, 99)))
    assert ["clean", "clue_ner", "train", "leakage"] in [row[:4] for row in shown["rejects"]]


def test_a_part_of_the_sources_tells_nothing_of_the_others(small, counts):
    some = payload(str(small), figures.subset(counts, {"ade_corpus", "duee1"}))
    text = json.dumps({name: value for name, value in some.items() if name != "build"}, ensure_ascii=False)
    assert '"ade_corpus/' in text and '"duee1/' in text
    for key in ("clue_ner", "semeval_re", "anatem", "lighthouses"):
        assert key not in text


def test_the_same_build_gives_the_same_page(small, counts):
    assert report.page(str(small), counts) == report.page(str(small), counts)


def ner(number: int, *labels: str) -> Example:
    text = f"Keel {number} and mast."
    entities = tuple(Entity(label, Mention("Keel", ((0, 4),))) for label in labels)
    return Example(f"a/train/{number}", "A", "train", "en", text, ("NER",), entities, None, None)


@given(st.lists(st.sets(st.sampled_from("pqr")), max_size=60), st.integers(1, 30))
def test_the_draw_does_not_depend_on_how_rows_come_in_tables(labels, rows):
    examples = [ner(number, *sorted(of)) for number, of in enumerate(labels)]
    whole = draw_by_label([examples_to_table(examples)] if examples else [])
    parts = [examples_to_table(examples[at : at + rows]) for at in range(0, len(examples), rows)]
    assert draw_by_label(reversed(parts)) == whole
    for label in {*"pqr", ""}:
        having = [e for e in examples if (label in [x.label for x in e.entities] if label else not e.entities)]
        assert len(whole.get(label, [])) == min(len(having), report_samples.EXAMPLES_A_LABEL)
        assert all(example in having for example in whole.get(label, []))


def test_relations_are_drawn_by_their_typed_labels():
    head, tail = Mention("Keel", ((0, 4),)), Mention("mast", ((11, 15),))
    typed = [Relation("of", head, tail, "part", kind) for kind in ("ship", "boat")]
    examples = [
        Example(f"a/train/{n}", "A", "train", "en", "Keel 1 and mast.", ("SPO",), None, (relation,), None)
        for n, relation in enumerate([*typed, *typed])
    ]
    assert {label: len(of) for label, of in draw_by_label([examples_to_table(examples)]).items()} == {
        "part\tof\tship": 2,
        "part\tof\tboat": 2,
    }


def test_a_long_text_is_cut_with_the_annotations_that_lie_beyond():
    text = "x" * report_samples.TEXT_CHARS + "Keel"
    early, late = Mention("x", ((0, 1),)), Mention("Keel", ((len(text) - 4, len(text)),))
    event = Event("sink", early, (Argument("what", early), Argument("who", late)))
    example = Example(
        "a/train/0", "A", "train", "en", text, ("NER",),
        (Entity("p", early), Entity("q", late), Entity("r", Mention("nowhere"))),
        (Relation("of", early, late), Relation("of", early, early)),
        (event, Event("rise", late)),
    )  # fmt: skip
    _, shown, entities, relations, events = compact(example)
    assert len(shown) == report_samples.TEXT_CHARS and shown.endswith("…")
    assert entities == [["p", [0, 1]], ["r", "nowhere"]]
    assert relations == [["of", [0, 1], [0, 1], "", ""]]
    assert events == [["sink", [0, 1], [["what", [0, 1]]]]]


def test_names_are_cut():
    example = ner(0, "p" * 10_000)
    (entity,) = compact(example)[2]
    assert len(entity[0]) == report_samples.NAME_CHARS


def test_groups_take_turns_within_the_bound():
    assert list(in_turn([[1, 2, 3], [], [4]])) == [1, 4, 2, 3]
    assert within(["aaaa", "b" * 50, "cc"], 12) == ["aaaa", "cc"]  # 6 + 1 and 4 + 1 bytes; the second is too large


def test_of_a_large_dictionary_the_labels_with_most_neighbours_are_shown():
    names = [f"label {n}" for n in range(LABELS_A_SET + 50)]
    large = Dictionary("NER", "a", "A", "en", "lexical", {
        name: Ranking(tuple(Neighbour(other, 0.5) for other in (names[-1], names[0]) if n >= 50))
        for n, name in enumerate(names)
    })  # fmt: skip
    kept = most_confused(large).labels
    assert set(kept) == set(names[50:])
    assert all([n.label for n in ranking.neighbours] == [names[-1]] for ranking in kept.values())


@given(
    st.recursive(st.text() | st.sampled_from(["</script>", "<!--", "]]>", "\u2028", "&lt;"]), st.lists, max_leaves=9)
)
def test_no_text_can_end_the_block_that_it_is_embedded_in(value):
    block = report.embedded({"value": value})
    assert not set(block) & set("<>&\u2028\u2029")
    assert json.loads(block) == {"value": value}


def test_an_empty_table_draws_nothing():
    assert draw_by_label([examples_to_table([])]) == {}
    assert isinstance(examples_to_table([]), pa.Table)
