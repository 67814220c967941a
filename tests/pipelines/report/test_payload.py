"""What the report gets from a build: counts that agree with those of the build, and bounded, reproducible samples."""

import json
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from pipelines.build_reports import read_statistics
from pipelines.describe import figures
from pipelines.describe.lengths import (
    EDGES,
    LENGTHS,
    MOST_POSITIVES,
    filled_bins,
    histogram,
    instruction_histograms,
    sums,
)
from pipelines.describe.token_estimate import CONTEXTS
from pipelines.report import page, samples
from pipelines.report.gold import compact
from pipelines.report.instructions import PROMPT, content
from pipelines.report.payload import LABELS_PER_SET, labels, most_confused, payload
from pipelines.report.samples import in_turn, label_name, within
from schemas.example import Argument, Entity, Event, Example, Mention, Relation
from schemas.example_id import ExampleId
from schemas.label import Label, LabelSet
from tests.specification.instruction import Instruction, instructions_to_table
from transforms.shards import read_shard


@pytest.fixture(scope="module")
def counts(small):
    return read_statistics(str(small))


@pytest.fixture(scope="module")
def report_data(small, counts):
    return payload(str(small), counts)


def test_the_context_sizes_are_edges_of_the_histogram():
    assert set(CONTEXTS) <= set(EDGES)
    assert list(EDGES) == sorted(set(EDGES))


def test_a_source_without_a_domain_says_so(report_data):
    domains = {key: source["domain"] for key, source in report_data["sources"].items()}
    assert domains["IE-en/KG/lighthouses"] == "" and domains["anatem"] == "biomedical"


def test_a_bin_counts_values_above_the_previous_edge_up_to_its_edge():
    bins = histogram(np.array([0, 8, 9, 512, 513, 10**6]))
    at = EDGES.index(512)
    assert (bins[0], bins[1], bins[at], bins[at + 1], bins[-1]) == (2, 1, 1, 1, 1)
    assert bins.sum() == 6 and bins[at + 1 :].sum() == 2


def test_lengths_and_positives_count_every_text_and_instruction(report_data, counts):
    for key, splits in counts.sources.items():
        for split, n in splits.items():
            assert sum(report_data["texts"][key].get(split, [])) == n.kept.examples
        for task, by_split in counts.instructions_by_source[key].items():
            histograms = report_data["instructions"][key][task]
            for split, n in by_split.items():
                assert sum(histograms["lengths"].get(split, [])) == n.instructions
                positives = histograms["positives"].get(split, [0])  # a split may be dropped or empty
                assert sum(positives) == n.instructions and positives[0] == n.all_negative


def test_lengths_are_counted_in_characters_of_the_rows(small, report_data):
    texts = [text for path in (small / "clean/clue_ner").glob("*.parquet") for text in column(path, "text")]
    lengths = [sum(counts) for counts in zip(*report_data["texts"]["clue_ner"].values(), strict=True)]
    assert lengths == histogram(np.array([len(text) for text in texts])).tolist()
    rows = [row for path in (small / "data/EE").glob("test*.parquet") for row in read_shard(str(path)).to_pylist()]
    lengths = [len(row["instruction"] + (row["output"] or "")) for row in rows]
    assert report_data["instructions"]["duee1"]["EE"]["lengths"]["test"] == histogram(np.array(lengths)).tolist()


def test_histograms_of_parts_add_up():
    rows = [instruction(f"a/train/{n}", 0, "海" * 90 + "x" * n, positives=n) for n in range(MOST_POSITIVES + 3)]
    rows.append(instruction("a/test/0", 0, "海", output=None))
    whole = sums([instruction_histograms(instructions_to_table(rows))])
    parts = [instruction_histograms(instructions_to_table(rows[at : at + 4])) for at in range(0, len(rows), 4)]
    assert sums(json.loads(json.dumps(parts))) == whole  # as read from a manifest
    assert filled_bins([whole["positives"]], MOST_POSITIVES + 1) == [2, *[1] * (MOST_POSITIVES - 1), 3]
    lengths = [len(row.instruction) + len(row.output or "") for row in rows]
    assert filled_bins([whole["lengths"]], LENGTHS) == histogram(np.array(lengths)).tolist()


def test_every_loss_is_shown_with_its_stage(report_data, counts):
    for key, splits in counts.sources.items():
        for split, expected in splits.items():
            row = report_data["sources"][key]["splits"][split]
            both = {reason: row["bad"].get(reason, 0) + row["dropped"].get(reason, 0) for reason in expected.rejected}
            assert both == expected.rejected
            assert row["windows"] - sum(row["dropped"].values()) == row["kept"]["examples"]


def test_rows_of_one_sentence_that_were_united_are_not_rejects(report_data):
    """They are counted, but rejects/ does not list them."""
    splits = [split for source in report_data["sources"].values() for split in source["splits"].values()]
    assert any("one_pair_united" in split["bad"] for split in splits)
    assert not any("one_pair_united" in split["rejected"] for split in splits)


def test_a_subset_of_sources_reveals_nothing_about_the_others(small, counts):
    some = payload(str(small), figures.subset(counts, {"ade_corpus", "duee1"}))
    text = json.dumps({name: value for name, value in some.items() if name != "build"}, ensure_ascii=False)
    assert '"ade_corpus/' in text and '"duee1/' in text
    for key in ("clue_ner", "semeval_re", "anatem", "lighthouses"):
        assert key not in text


def test_the_same_build_gives_the_same_page(small, counts):
    assert page.page(str(small), counts) == page.page(str(small), counts)


def column(path, name: str) -> list:
    return read_shard(str(path))[name].to_pylist()


def instruction(example_id: str, number: int, text: str, positives: int = 0, output: str | None = "{}") -> Instruction:
    """An instruction for `text` with this number of positive labels."""
    at = ExampleId.parse(example_id)
    labels = tuple(f"label {n}" for n in range(positives))
    return Instruction(
        f"{example_id}/NER/{number}", example_id, sha256(text.encode()).hexdigest(), "NER", at.key, "en", at.split,
        f"Find the entities in: {text}", output, None, labels, labels, (),
    )  # fmt: skip


def ner(number: int, *labels: str) -> Example:
    text = f"Keel {number} and mast."
    entities = tuple(Entity(label, Mention("Keel", ((0, 4),))) for label in labels)
    return Example(f"a/train/{number}", "A", "train", "en", text, ("NER",), entities, None, None)


def test_a_long_text_is_cut_with_the_annotations_beyond_the_cut():
    text = "x" * samples.TEXT_CHARS + "Keel"
    early, late = Mention("x", ((0, 1),)), Mention("Keel", ((len(text) - 4, len(text)),))
    event = Event("sink", early, (Argument("what", early), Argument("who", late)))
    example = Example(
        "a/train/0", "A", "train", "en", text, ("NER",),
        (Entity("p", early), Entity("q", late), Entity("r", Mention("nowhere"))),
        (Relation("of", early, late), Relation("of", early, early)),
        (event, Event("rise", late)),
    )  # fmt: skip
    _, cut_text, entities, relations, events = compact(example)
    assert len(cut_text) == samples.TEXT_CHARS and cut_text.endswith("…")
    assert entities == [["p", [0, 1]], ["r", "nowhere"]]
    assert relations == [["of", [0, 1], [0, 1], "", ""]]
    assert events == [["sink", [0, 1], [["what", [0, 1]]]]]


def test_names_are_cut():
    example = ner(0, "p" * 10_000)
    (entity,) = compact(example)[2]
    assert len(entity[0]) == samples.LABEL_CHARS


@pytest.mark.parametrize("length", [samples.NAME_CHARS, samples.LABEL_CHARS])
def test_labels_that_begin_alike_stay_apart(length):
    names = [f"{'p' * length}{end}" for end in ("", "a", "b")]
    assert len({label for label, _ in compact(ner(0, *names))[2]}) == 3
    counts = {name: {"train": n} for n, name in enumerate(names)}
    _, _, _, rows = labels(LabelSet("NER", "a", "A", "en", tuple(map(Label, names)), counts))
    assert {row[0]: row[1] for row in rows} == {label_name(name): n for n, name in enumerate(names)}
    row = {
        "id": "a/train/0/NER/0", "example_id": "a/train/0", "output": "{}", "label": None,
        "instruction": json.dumps({"instruction": "", "schema": names, "input": ""}),
        "labels": names, "positives": names[:1], "hard_negatives": names[1:2],
    }  # fmt: skip
    _, shown, roles, schema, _ = content(row, PROMPT.decode(row["instruction"]))
    assert shown == list(map(label_name, names)) and roles == "pho"
    assert (schema or shown) == names  # the JSON of the prompt is that of the row


def test_characters_of_a_label_that_change_the_page_or_cannot_be_seen_are_escaped():
    assert label_name("\u202eevil") == "\\u202eevil" and label_name("\u200b") == "\\u200b"
    assert label_name("地点 é") == "地点 é"


def test_groups_take_turns_within_the_bound():
    assert list(in_turn([[1, 2, 3], [], [4]])) == [1, 4, 2, 3]
    assert within(["aaaa", "b" * 50, "cc"], 12) == ["aaaa", "cc"]  # 6 + 1 and 4 + 1 bytes; the second is too large


def test_a_large_dictionary_shows_the_labels_with_most_neighbours():
    names = [f"label {n}" for n in range(LABELS_PER_SET + 50)]
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
def test_no_text_can_close_its_script_block(value):
    block = page.embedded({"value": value})
    assert not set(block) & set("<>&\u2028\u2029")
    assert json.loads(block) == {"value": value}
