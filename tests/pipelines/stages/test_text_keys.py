"""Rows that share a text, over all sources, shards and splits, and the decisions on them."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.stages.text_keys import BUCKETS, KeyTables, decide
from schemas.errors import Reason
from schemas.example import Entity, Example, Mention
from schemas.example_id import ExampleId
from transforms.decontaminate import leakage_key
from transforms.deduplicate import united

KEYS = ("a", "a/b", "a,b", "a/train", "b")
TEXTS = ("Ada met Bo.", "ada met bo .", "Cy and Di.")
ROWS = st.lists(
    st.tuples(
        st.sampled_from([(key, split) for key in KEYS for split in ("train", "validation", "test")]),
        st.sampled_from(TEXTS),
        st.sets(st.sampled_from([("person", "Ada"), ("person", "Bo"), ("name", "Ada")])),
    ),
    max_size=12,
)


def example(text: str, entities: set[tuple[str, str]], id_: str = "made/train/0") -> Example:
    layer = tuple(Entity(label, Mention(name)) for label, name in sorted(entities))
    return Example(id_, "Made", "train", "en", text, ("NER",), layer, None, None)


def decisions(rows: list, shard_size: int, same_text: str, order) -> tuple[dict, dict]:
    """Returns (key, split, row) → (reason, `into`, twin) of each rejected row, and united row → the row that is kept.

    Shards have at most `shard_size` rows and are numbered by (key, split), as in the clean stage. `order` permutes the
    tables of a bucket.
    """
    places: list[list[tuple]] = []  # places of the rows of each shard
    buckets: dict[int, list[pa.Table]] = {}
    for at in sorted({at for at, *_ in rows}):
        contents = [content for where, *content in rows if where == at]
        examples = [example(*content, f"{'/'.join(at)}/{number}") for number, content in enumerate(contents)]
        for first in range(0, len(examples), shard_size):
            keys = KeyTables(len(places))
            for row, content in enumerate(examples[first : first + shard_size]):
                keys.add(content, row)
            places.append([(*at, first + row) for row in range(len(keys.rows))])
            for bucket, table in keys.tables():
                buckets.setdefault(bucket, []).append(table)
    assert set(buckets) <= set(range(BUCKETS))
    splits = {number: rows[0][:2] for number, rows in enumerate(places)}
    decided, unions = {}, {}
    for tables in buckets.values():
        for _, table, taken in decide(order(tables), splits, same_text):
            for row in table.to_pylist():
                decided[places[row["shard"]][row["row"]]] = (row["reason"], tuple(row["into"]), row["twin"])
            for row in taken.to_pylist():
                unions[places[row["shard"]][row["row"]]] = places[row["to_shard"]][row["to_row"]]
    return decided, unions


@pytest.mark.parametrize("same_text", ["unite", "drop"])
@given(rows=ROWS, random=st.randoms())
def test_a_text_is_kept_once_per_split_and_test_texts_only_in_test(same_text, rows, random):
    decided, unions = decisions(rows, 99, same_text, list)
    for shard_size in (1, 2):
        shuffled = decisions(rows, shard_size, same_text, lambda tables: random.sample(tables, len(tables)))
        assert shuffled == (decided, unions)
    tests: dict[bytes, set[str]] = {}
    places: dict[tuple, list] = {}
    for (key, split), text, entities in rows:
        places.setdefault((key, split), []).append((text, entities))
        if split == "test":
            tests.setdefault(leakage_key(text), set()).add(key)
    for (key, split), members in places.items():
        kept = []
        for number, (text, _) in enumerate(members):
            reason, into, twin = decided.get((key, split, number), (None, (), ""))
            leaks = split != "test" and leakage_key(text) in tests
            assert (reason == Reason.LEAKAGE) == leaks
            assert into == (tuple(sorted(tests[leakage_key(text)])) if leaks else ())
            if reason:
                at = ExampleId.parse(twin)
                other, _ = places[at.key, at.split][at.number]
                assert (at.key, at.split, at.number) != (key, split, number)
                assert at.split == "test" if leaks else (at.key, at.split) == (key, split)
                assert leakage_key(other) == leakage_key(text) and (leaks or other == text)
            if reason is None:
                kept.append(text)
            elif reason == Reason.SAME_TEXT_UNITED:
                to = unions[key, split, number]
                assert to[:2] == (key, split) and to not in decided and members[to[2]][0] == text
        assert len(kept) == len(set(kept))
        for number, (text, entities) in enumerate(members):
            taken = [members[row[2]] for row, to in unions.items() if to == (key, split, number)]
            if (key, split, number) not in decided:
                both = united([example(text, entities), *(example(*content) for content in taken)])
                annotations = [e for t, e in members if t == text]
                assert {(e.label, e.mention.text) for e in both.entities} == set().union(*annotations)
