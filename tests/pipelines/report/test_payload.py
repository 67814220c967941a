"""What the report gets from a build: counts that agree with those of the build, and bounded, reproducible samples."""

import json
from hashlib import sha256

import numpy as np
import pyarrow as pa
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
from pipelines.report import examples as report_examples
from pipelines.report import page, samples
from pipelines.report.examples import EXAMPLES_PER_LABEL, compact, draw_by_label, id_keys
from pipelines.report.payload import LABELS_PER_SET, most_confused, payload
from pipelines.report.samples import in_turn, within
from schemas.arrow import EXAMPLES, INSTRUCTIONS, examples_to_table
from schemas.example import Argument, Entity, Event, Example, Mention, Relation
from schemas.example_id import ExampleId
from tests.manifests import example_shard, instruction_shard
from tests.specification.instruction import Instruction, instructions_to_table
from transforms.shards import read_shard, write_shard


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
    assert domains["IE-en/KG/lighthouses"] == "domain not stated" and domains["anatem"] == "biomedical"


def test_a_bin_counts_values_above_the_previous_edge_up_to_its_edge():
    bins = histogram(np.array([0, 8, 9, 512, 513, 10**6]))
    at = EDGES.index(512)
    assert (bins[0], bins[1], bins[at], bins[at + 1], bins[-1]) == (2, 1, 1, 1, 1)
    assert bins.sum() == 6 and bins[at + 1 :].sum() == 2


def test_lengths_and_positives_count_every_text_and_instruction(report_data, counts):
    for key, splits in counts.sources.items():
        assert sum(report_data["texts"][key]) == sum(split.kept.examples for split in splits.values())
        for task, by_split in counts.instructions_by_source[key].items():
            histograms = report_data["instructions"][key][task]
            assert sum(histograms["lengths"]) == sum(split.instructions for split in by_split.values())
            for split, n in by_split.items():
                positives = histograms["positives"].get(split, [0])  # a split may be dropped or empty
                assert sum(positives) == n.instructions and positives[0] == n.all_negative


def test_lengths_are_counted_in_characters_of_the_rows(small, report_data):
    texts = [text for path in (small / "clean/clue_ner").glob("*.parquet") for text in column(path, "text")]
    assert report_data["texts"]["clue_ner"] == histogram(np.array([len(text) for text in texts])).tolist()
    rows = [row for path in (small / "data/EE").glob("*.parquet") for row in read_shard(str(path)).to_pylist()]
    lengths = [len(row["instruction"] + (row["output"] or "")) for row in rows]
    assert report_data["instructions"]["duee1"]["EE"]["lengths"] == histogram(np.array(lengths)).tolist()


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


def test_every_label_that_occurs_has_an_example(report_data):
    for task, key, _, labels in report_data["labels"]:
        if task == "NER":
            drawn = {label for _, _, entities, _, _ in report_data["examples"][key] for label, _ in entities or ()}
            assert drawn == {label for label, *counts in labels if sum(counts)}


def test_rejects_have_place_and_reason(report_data):
    (bad,) = [row for row in report_data["rejects"] if row[:2] == ["ingest", "clue_ner"]]
    assert bad[3] == "broken_json" and bad[4].endswith(tuple(f":{n}" for n in range(1, 99)))
    assert ["clean", "clue_ner", "train", "leakage"] in [row[:4] for row in report_data["rejects"]]


def test_a_subset_of_sources_reveals_nothing_about_the_others(small, counts):
    some = payload(str(small), figures.subset(counts, {"ade_corpus", "duee1"}))
    text = json.dumps({name: value for name, value in some.items() if name != "build"}, ensure_ascii=False)
    assert '"ade_corpus/' in text and '"duee1/' in text
    for key in ("clue_ner", "semeval_re", "anatem", "lighthouses"):
        assert key not in text


def test_instructions_are_those_of_the_texts_with_the_smallest_hash(small, report_data):
    texts: dict[tuple[str, str], dict[str, list]] = {}
    for path in sorted((small / "data").glob("*/*.parquet")):
        for row in read_shard(str(path)).to_pylist():
            at = ExampleId.parse(row["example_id"]).key, row["task"]
            texts.setdefault(at, {}).setdefault(row["text_sha256"], []).append(row)
    for (key, task), by_hash in texts.items():
        drawn = {id_ for *at, id_, _, _ in report_data["samples"] if at == [key, task]}
        least = sorted(by_hash)[: samples.INSTRUCTIONS_PER_TASK]
        assert drawn == {
            next((row for row in by_hash[one] if row["positives"]), by_hash[one][0])["id"] for one in least
        }


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


@given(st.lists(st.sets(st.sampled_from("pqr")), max_size=60), st.integers(1, 30))
def test_the_sample_does_not_depend_on_table_boundaries(labels, rows):
    examples = [ner(number, *sorted(names)) for number, names in enumerate(labels)]
    whole = in_parts([examples] if examples else [])
    assert in_parts([examples[at : at + rows] for at in range(0, len(examples), rows)][::-1]) == whole
    for label in {*"pqr", ""}:
        candidates = [e for e in examples if (label in [x.label for x in e.entities] if label else not e.entities)]
        assert len(whole.get(label, [])) == min(len(candidates), EXAMPLES_PER_LABEL)
        assert all(example in candidates for example in whole.get(label, []))


def in_parts(parts: list[list[Example]]) -> dict[str, list[Example]]:
    """Label → examples drawn from these tables."""
    places = draw_by_label(map(examples_to_table, parts))
    return {label: [parts[number][row] for number, row in rows] for label, rows in places.items()}


@given(
    st.sets(st.tuples(st.integers(0, 10**7), st.integers(0, 30) | st.none()), min_size=1),
    st.sampled_from(["a", "IE-zh/NER/海图", "a/train/1"]),
)
def test_keys_of_ids_are_unique_and_depend_only_on_the_id(places, key):
    def ids(chosen) -> pa.ChunkedArray:
        names = [f"{key}/test/{number}" + ("" if window is None else f"/{window}") for number, window in chosen]
        return pa.chunked_array([names])

    keys = dict(zip(places, id_keys(ids(places)).tolist(), strict=True))
    assert len(set(keys.values())) == len(places)
    assert all(id_keys(ids([one])).tolist() == [keys[one]] for one in places)
    assert id_keys(ids(["0", *places][1:]).slice(len(places) - 1)).tolist() == [keys[list(places)[-1]]]


@pytest.mark.parametrize("size", [7, 31, 100])
def test_examples_do_not_depend_on_shards(tmp_path, size):
    rows = [ner(number, "pqr"[number % 3]) for number in range(90)]

    def drawn(parts: list[list[Example]]) -> dict[str, list]:
        shards = [example_shard(path=f"{n}-of-{len(parts)}", rows=len(part)) for n, part in enumerate(parts)]
        for shard, part in zip(shards, parts, strict=True):
            write_shard(f"{tmp_path}/{shard.path}", EXAMPLES, [examples_to_table(part)])
        return report_examples.examples(str(tmp_path), shards[::-1], ["a"])

    whole = drawn([rows])
    assert drawn([rows[at : at + size] for at in range(0, len(rows), size)]) == whole
    assert all(row in map(compact, rows) for row in whole["a"])
    assert len(whole["a"]) == 3 * EXAMPLES_PER_LABEL


@pytest.mark.parametrize("size", [10, 31, 1_000])
def test_instructions_do_not_depend_on_shards(tmp_path, size):
    rows = [
        instruction(f"{key}/train/{n}", number, f"Keel {key} {n}", positives=number % 2)
        for key in ("a", "海/b")
        for n in range(60)
        for number in range(3)
    ]
    shards = []
    for at in range(0, len(rows), size):  # some examples are in two shards, some shards contain two sources
        part = rows[at : at + size]
        shards.append(instruction_shard({row.source: 1 for row in part}, path=f"shard-{at}"))
        write_shard(f"{tmp_path}/shard-{at}", INSTRUCTIONS, [instructions_to_table(part)])
    expected = {}
    for row in rows:
        if row.positives:
            expected.setdefault(row.source, []).append((row.text_sha256, row.id))
    for keys in (["a"], ["a", "海/b"]):
        drawn = samples.instructions(str(tmp_path), shards[::-1], keys)
        ids = {key: [row[2] for row in drawn if row[0] == key] for key in expected}
        first = {key: [id_ for _, id_ in sorted(expected[key])[: samples.INSTRUCTIONS_PER_TASK]] for key in expected}
        assert ids == {key: first[key] if key in keys else [] for key in first}


def test_only_row_groups_that_may_contain_a_sampled_text_are_read(tmp_path):
    rows = sorted((instruction(f"a/train/{n}", 0, f"Keel {n}") for n in range(20)), key=lambda row: row.text_sha256)
    shards = [instruction_shard({"a": 5}, path=f"{n}") for n in range(4)]
    for n, shard in enumerate(shards):
        write_shard(f"{tmp_path}/{n}", INSTRUCTIONS, [instructions_to_table(rows[5 * n : 5 * n + 5])])
        if n:  # damage the rows, not the footer
            damaged = bytearray((tmp_path / shard.path).read_bytes())
            damaged[4:400] = bytes(396)
            (tmp_path / shard.path).write_bytes(damaged)
    assert [row[2] for row in samples.instructions(str(tmp_path), shards, ["a"])] == [row.id for row in rows[:3]]


def test_relations_are_drawn_by_their_typed_labels():
    head, tail = Mention("Keel", ((0, 4),)), Mention("mast", ((11, 15),))
    typed = [Relation("of", head, tail, "part", kind) for kind in ("ship", "boat")]
    examples = [
        Example(f"a/train/{n}", "A", "train", "en", "Keel 1 and mast.", ("SPO",), None, (relation,), None)
        for n, relation in enumerate([*typed, *typed])
    ]
    assert {label: len(rows) for label, rows in draw_by_label([examples_to_table(examples)]).items()} == {
        "part\tof\tship": 2,
        "part\tof\tboat": 2,
    }


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
    assert len(entity[0]) == samples.NAME_CHARS


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


def test_an_empty_table_draws_nothing():
    assert draw_by_label([examples_to_table([])]) == {}
    assert isinstance(examples_to_table([]), pa.Table)
