"""Shards of test texts → indexes on disk; a shard of other texts and these indexes → its partial leaks.

Only paths cross between workers. Test texts are indexed in parts, so that an index fits into memory however many there
are, and are read again only where the index names a candidate.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.arrow import required
from schemas.errors import Reason
from schemas.manifests import LeakCounts
from transforms import files
from transforms.deduplicate import text_key
from transforms.leak_index import LeakIndex, TextHashes
from transforms.partial_leaks import ComparedText, LeakKind, LeakRules, is_leak
from transforms.shards import read_batches, read_rows, write_shard

ROWS_PER_TABLE = 5_000

INDEX_BYTES = 25_000_000
"""Size of the shards that one index is made of, if there are several. An index takes about three times as much memory
while it is searched, and ten times while it is made.
"""

DETAILS = {
    LeakKind.CONTAINED: "the text lies within a test text, or contains one: {}",
    LeakKind.NEAR: "the text is similar to a test text: {}",
}

LEAKS = pa.schema(
    [
        required("row", pa.int32()),
        required("id", pa.string()),
        required("kind", pa.string()),
        required("into", pa.string()),  # key of the source of the test text
        required("twin", pa.string()),  # id of the test text
    ]
)


class TextShard(NamedTuple):
    """A shard and the file with its texts. `number`: as in `build_folder.Shard`; `key`: of its source."""

    number: int
    key: str
    path: str


def index_groups(shards: Sequence[TextShard]) -> Iterator[tuple[int, list[TextShard]]]:
    """(number of an index, its shards), in the order of the shards."""
    group: list[TextShard] = []
    size = number = 0
    for shard in shards:
        folder, _, name = shard.path.rpartition("/")
        length = files.sizes(folder, [name])[name]
        if group and size + length > INDEX_BYTES:
            yield number, group
            group, size, number = [], 0, number + 1
        group.append(shard)
        size += length
    if group:
        yield number, group


def write_index(path: str, shards: Sequence[TextShard], rules: LeakRules) -> str:
    """Writes the index of the test texts of some shards, and returns its path. A text that repeats within a source is
    indexed where it occurs first.
    """
    texts: list[str] = []
    rows: list[int] = []
    seen: set[tuple[str, bytes]] = set()
    for shard in shards:
        for row, (_, text) in enumerate(read_texts(shard.path)):
            place = shard.key, text_key(text)
            if place not in seen:
                seen.add(place)
                texts.append(text)
                rows.append(shard.number << 32 | row)
    with files.atomic_write(path) as stream:
        stream.write(LeakIndex.build(texts, np.array(rows, np.int64), rules).to_bytes())
    return path


def partial_leaks(
    shard: TextShard, indexes: Iterable[LeakIndex], tests: Mapping[int, TextShard], rules: LeakRules
) -> pa.Table:
    """LEAKS of the shard, at most one per row and source: the first test text that contains the row or lies within it,
    else the first near one. `tests`: the shards of test texts by number.
    """
    rows: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row, (id_, text) in enumerate(read_texts(shard.path)):
        rows[text].append((row, id_))
    texts = list(rows)
    search = Search(list(map(ComparedText, texts)), tests, rules)
    hashes = TextHashes.from_texts(texts, rules)
    for index in indexes:
        search.verify(LeakKind.CONTAINED, index.contained(hashes))
        search.verify(LeakKind.NEAR, index.near(hashes))
    leaks = [
        (row, id_, str(kind), into, twin)
        for (number, into), (kind, twin) in search.leaks.items()
        for row, id_ in rows[texts[number]]
    ]
    columns = list(zip(*sorted(leaks), strict=True)) or [()] * len(LEAKS)
    return pa.Table.from_arrays(
        [pa.array(column, kind) for column, kind in zip(columns, LEAKS.types, strict=True)], schema=LEAKS
    )


def leaks_by_row(tables: Iterable[pa.Table]) -> dict[int, list[dict]]:
    """Row → its leaks (LEAKS), by key of the source they leak into."""
    rows: dict[int, list[dict]] = defaultdict(list)
    for leak in chain.from_iterable(table.to_pylist() for table in tables):
        rows[leak["row"]].append(leak)
    return {row: sorted(leaks, key=itemgetter("into")) for row, leaks in rows.items()}


def write_leaks(path: str, leaks: Iterable[dict]) -> None:
    """Writes a shard of leaks/: LEAKS without the row."""
    table = pa.Table.from_pylist(list(leaks), LEAKS).drop_columns("row")
    write_shard(path, table.schema, [table])


def leak_drop(leaks: Sequence[dict]) -> dict:
    """The decision (`text_keys.DECISIONS`) to drop a row with these leaks. It names the twins of one kind."""
    is_contained = any(leak["kind"] == LeakKind.CONTAINED for leak in leaks)
    kind, reason = (LeakKind.CONTAINED, Reason.CONTAINED_LEAK) if is_contained else (LeakKind.NEAR, Reason.NEAR_LEAK)
    twins = [leak["twin"] for leak in leaks if leak["kind"] == kind]
    return {"reason": reason, "twin": twins[0], "detail": DETAILS[kind].format(", ".join(twins))}


def counts_by_source(counts: Mapping[tuple[str, str], int]) -> dict[str, LeakCounts]:
    """Key of a source → counts of the leaks into its test split. `counts`: by (key, kind)."""
    by_source: dict[str, dict[str, int]] = defaultdict(dict)
    for (key, kind), count in sorted(counts.items()):
        by_source[key][kind] = count
    return {key: LeakCounts(**kinds) for key, kinds in by_source.items()}


class Search:
    """`leaks`: (number of a text, key of a source) → kind and id of the first test text of the source it leaks into."""

    def __init__(self, texts: Sequence[ComparedText], tests: Mapping[int, TextShard], rules: LeakRules):
        self.texts, self.tests, self.rules = texts, tests, rules
        self.leaks: dict[tuple[int, str], tuple[LeakKind, str]] = {}

    def verify(self, kind: LeakKind, candidates: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
        """Adds the candidates that are leaks of this kind. `candidates`: numbers of texts, rows in an index."""
        for numbers, rows in candidates:
            order = np.lexsort((numbers, rows))
            numbers, rows = numbers[order], rows[order]
            bounds = np.append(np.flatnonzero(np.diff(rows >> 32, prepend=-1)), len(rows))
            for start, stop in pairwise(bounds.tolist()):
                shard = self.tests[int(rows[start] >> 32)]
                self._verify(kind, shard, numbers[start:stop].tolist(), rows[start:stop] & 0xFFFFFFFF)

    def _verify(self, kind: LeakKind, shard: TextShard, numbers: list[int], rows: np.ndarray) -> None:
        open_pairs: dict[int, list[int]] = defaultdict(list)
        for number, row in zip(numbers, rows.tolist(), strict=True):
            earlier = self.leaks.get((number, shard.key))
            if earlier is None or (kind, earlier[0]) == (LeakKind.CONTAINED, LeakKind.NEAR):
                open_pairs[row].append(number)
        for at, table in read_rows(shard.path, np.array(sorted(open_pairs)), ROWS_PER_TABLE, ["id", "text"]):
            columns = (at.tolist(), table["id"].to_pylist(), table["text"].to_pylist())
            for row, id_, text in zip(*columns, strict=True):
                other = ComparedText(text)
                for number in open_pairs[row]:
                    earlier = self.leaks.get((number, shard.key))
                    is_settled = earlier is not None and (kind == LeakKind.NEAR or earlier[0] == kind)
                    if not is_settled and is_leak(self.texts[number], other, kind, self.rules):
                        self.leaks[number, shard.key] = kind, id_


def read_texts(path: str) -> Iterator[tuple[str, str]]:
    """(id, text) of the rows of a shard."""
    for table in read_batches(path, ROWS_PER_TABLE, ["id", "text"]):
        yield from zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)


def read_index(path: str) -> LeakIndex:
    return LeakIndex.from_bytes(files.read_bytes(path))
