"""Which rows share a text, of whatever sources, shards and splits, and what is decided on them."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.stages.text_keys import BUCKETS, KeyTables, decide
from schemas.errors import Reason
from schemas.example import Entity, Example, Mention
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


def example(text: str, entities: set[tuple[str, str]]) -> Example:
    layer = tuple(Entity(label, Mention(name)) for label, name in sorted(entities))
    return Example("made/train/0", "Made", "train", "en", text, ("NER",), layer, None, None)


def decisions(rows: list, a_shard: int, same_text: str, order) -> tuple[dict, dict]:
    """(key, split, number of the row in it) → reason and `into`; and → the row that takes it up.

    Shards have at most `a_shard` rows, and are numbered by (key, split) as those of the clean stage; `order` is of the
    tables of a bucket.
    """
    places: list[list[tuple]] = []  # of the rows of each shard
    buckets: dict[int, list[pa.Table]] = {}
    for at in sorted({at for at, *_ in rows}):
        own = [example(*content) for where, *content in rows if where == at]
        for first in range(0, len(own), a_shard):
            keys = KeyTables(len(places))
            for row, content in enumerate(own[first : first + a_shard]):
                keys.add(content, row)
            places.append([(*at, first + row) for row in range(len(keys.rows))])
            for bucket, table in keys.tables():
                buckets.setdefault(bucket, []).append(table)
    assert set(buckets) <= set(range(BUCKETS))
    splits = {number: of[0][:2] for number, of in enumerate(places)}
    decided, unions = {}, {}
    for tables in buckets.values():
        for _, table, taken in decide(order(tables), splits, same_text):
            for row in table.to_pylist():
                decided[places[row["shard"]][row["row"]]] = (row["reason"], tuple(row["into"]))
            for row in taken.to_pylist():
                unions[places[row["shard"]][row["row"]]] = places[row["to_shard"]][row["to_row"]]
    return decided, unions


@pytest.mark.parametrize("same_text", ["unite", "drop"])
@given(rows=ROWS, random=st.randoms())
def test_a_text_stays_in_one_row_of_its_split_and_in_no_other_sources_test_split(same_text, rows, random):
    decided, unions = decisions(rows, 99, same_text, list)
    for a_shard in (1, 2):
        assert decisions(rows, a_shard, same_text, lambda tables: random.sample(tables, len(tables))) == (
            decided,
            unions,
        )
    tests: dict[bytes, set[str]] = {}
    places: dict[tuple, list] = {}
    for (key, split), text, entities in rows:
        places.setdefault((key, split), []).append((text, entities))
        if split == "test":
            tests.setdefault(leakage_key(text), set()).add(key)
    for (key, split), own in places.items():
        stay = []
        for number, (text, _) in enumerate(own):
            reason, into = decided.get((key, split, number), (None, ()))
            leaks = split != "test" and leakage_key(text) in tests
            assert (reason == Reason.LEAKAGE) == leaks
            assert into == (tuple(sorted(tests[leakage_key(text)])) if leaks else ())
            if reason is None:
                stay.append(text)
            elif reason == Reason.SAME_TEXT_UNITED:
                to = unions[key, split, number]
                assert to[:2] == (key, split) and to not in decided and own[to[2]][0] == text
        assert len(stay) == len(set(stay))
        for number, (text, entities) in enumerate(own):
            taken = [own[row[2]] for row, to in unions.items() if to == (key, split, number)]
            if (key, split, number) not in decided:
                both = united([example(text, entities), *(example(*content) for content in taken)])
                alike = [e for t, e in own if t == text]
                assert {(e.label, e.mention.text) for e in both.entities} == set().union(*alike)
