"""Shards of test texts → indexes on disk; a shard of other texts and these indexes → its partial leaks.

Only paths cross between workers. Test texts are indexed in parts, so that an index fits into memory however many there
are, and are read again only where the index names a candidate.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
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
from transforms.shingles import ShingleSets

ROWS_PER_TABLE = 5_000

INDEX_BYTES = 25_000_000
"""Size of the shards that one index is made of, if there are several. An index takes about three times as much memory
while it is searched, and ten times while it is made.
"""

RANKS = {LeakKind.NEAR: 1, LeakKind.CONTAINED: 2}
"""A leak of a source takes the place of one with a lower rank."""

MANY = 100
"""Candidates of one test text from which on the hashes of all texts are compared first. That takes less time than to
compare so many texts one by one; sentences of one template have so many.
"""

TESTS_KEPT = 2_000
"""Test texts whose shingles stay in memory: those of one template are candidates again and again."""

TOLERANCE = 0.01
"""By how much the Jaccard index of hashes may be too small: shingles of one text may have the same hash."""

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
    """`leaks`: (number of a text, key of a source) → kind and id of the first test text of the source it leaks into.
    `ranks`: key of a source → for each text the rank of its leak there, 0 if it has none.
    """

    def __init__(self, texts: Sequence[ComparedText], tests: Mapping[int, TextShard], rules: LeakRules):
        self.texts, self.tests, self.rules = texts, tests, rules
        self.leaks: dict[tuple[int, str], tuple[LeakKind, str]] = {}
        self.compared = lru_cache(maxsize=TESTS_KEPT)(ComparedText)
        self.ranks: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(texts), np.uint8))

    @cached_property
    def shingle_sets(self) -> ShingleSets:
        return ShingleSets([text.text for text in self.texts])

    def verify(self, kind: LeakKind, candidates: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
        """Adds the candidates that are leaks of this kind. `candidates`: numbers of texts, rows in an index."""
        for numbers, rows in candidates:
            order = np.lexsort((numbers, rows))
            numbers, rows = numbers[order], rows[order]
            bounds = np.append(np.flatnonzero(np.diff(rows >> 32, prepend=-1)), len(rows))
            for start, stop in pairwise(bounds.tolist()):
                shard = self.tests[int(rows[start] >> 32)]
                self._verify(kind, shard, numbers[start:stop], rows[start:stop] & 0xFFFFFFFF)

    def _verify(self, kind: LeakKind, shard: TextShard, numbers: np.ndarray, rows: np.ndarray) -> None:
        ranks = self.ranks[shard.key]
        is_open = ranks[numbers] < RANKS[kind]
        numbers, rows = numbers[is_open], rows[is_open]
        wanted, starts = np.unique(rows, return_index=True)
        groups = dict(zip(wanted.tolist(), np.split(numbers, starts)[1:], strict=True))
        for at, table in read_rows(shard.path, wanted, ROWS_PER_TABLE, ["id", "text"]):
            columns = (at.tolist(), table["id"].to_pylist(), table["text"].to_pylist())
            for row, id_, text in zip(*columns, strict=True):
                candidates = groups[row][ranks[groups[row]] < RANKS[kind]]
                other = self.compared(text)
                if kind == LeakKind.NEAR and len(candidates) >= MANY:
                    indexes = self.shingle_sets.jaccard(other.shingle_hashes, candidates)
                    candidates = candidates[indexes >= self.rules.jaccard - TOLERANCE]
                for number in candidates.tolist():
                    if is_leak(self.texts[number], other, kind, self.rules):
                        self.leaks[number, shard.key] = kind, id_
                        ranks[number] = RANKS[kind]


def read_texts(path: str) -> Iterator[tuple[str, str]]:
    """(id, text) of the rows of a shard."""
    for table in read_batches(path, ROWS_PER_TABLE, ["id", "text"]):
        yield from zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)


def read_index(path: str) -> LeakIndex:
    return LeakIndex.from_bytes(files.read_bytes(path))
