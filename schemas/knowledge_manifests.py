"""The results of the stages of `pipelines.knowledge`, which their manifests record (see schemas/manifests.py)."""

from typing import ClassVar

from schemas.knowledge_corpus import ExportedSplit
from schemas.manifests import Count, Inside, Losses, StageResult, Stored


class ItemShard(Stored, frozen=True):
    """A shard of items. `path`: in entities/items, of ITEMS. `names_path`: in entities/names, of NAMES.

    `statements`: of the properties that the themes use. `superclasses`: pairs of a class and its superclass.
    """

    path: Inside
    names_path: Inside
    rows: Count
    names: Count
    statements: Count
    superclasses: Count


class DumpRead(Stored, frozen=True):
    """Counts of one dump file.

    `counts`: as in `transforms.knowledge.wikidata.Reader`, and the number of items that
    the file says were merged into others (`merged`). `rejected`: lines and statements by
    reason; rejects/entities lists them. `first_rejects`: at most three messages: `place: reason: detail`.
    """

    name: str
    counts: dict[str, Count]
    rejected: Losses
    first_rejects: tuple[str, ...]


class Entities(StageResult, frozen=True):
    """Written by entities; read by types and link. `shards` are sorted by path.

    `repeated_items`: items left out because another file or line has a later revision, or comes first. `merged_items`:
    items left out because they were merged into others. `merge_loops`: merged ids without a target.
    `merged`: the path of the table MERGED (`transforms.knowledge.item_tables`), null if no item was merged.
    `unused_properties`: those of the themes of which no item of the dumps has a statement.
    """

    stage: ClassVar[str] = "entities"
    folder: ClassVar[str] = "entities"

    dumps: tuple[DumpRead, ...]
    shards: tuple[ItemShard, ...]
    repeated_items: Count
    merged_items: Count
    merge_loops: Count
    merged: Inside | None
    unused_properties: tuple[int, ...]


class TypeShard(Stored, frozen=True):
    """A shard of types/, with one row per row of the shard of items of the same name. `typed`: rows with a type.

    `types`: entity type → number of items.
    """

    path: Inside
    rows: Count
    typed: Count
    types: dict[str, Count]


class Types(StageResult, frozen=True):
    """Written by types; read by link. `shards` are sorted by path."""

    stage: ClassVar[str] = "types"
    folder: ClassVar[str] = "types"

    shards: tuple[TypeShard, ...]


class PageFile(Stored, frozen=True):
    """Counts of one file of pages. `kind`: xml, html, wikitext or json.

    `pages`: pages that were used, or rows of JSON lines. `paragraphs`: taken from them. `pages_left_out` and
    `paragraphs_left_out` are by reason (`transforms.knowledge.page_files.Reader`). `rejected`: pages, rows and
    links that cannot be read, by reason; rejects/pages lists them. `first_rejects`: at most three messages:
    `place: reason: detail`.
    """

    name: str
    kind: str
    pages: Count
    paragraphs: Count
    pages_left_out: dict[str, Count]
    paragraphs_left_out: dict[str, Count]
    rejected: Losses
    first_rejects: tuple[str, ...]


class PageShard(Stored, frozen=True):
    """A shard of pages/, of PARAGRAPHS. `with_page`: rows whose page has a known item. `links_with_item`: links that
    lead to a known item.
    """

    path: Inside
    rows: Count
    with_page: Count
    links: Count
    links_with_item: Count


class Pages(StageResult, frozen=True):
    """Written by pages; read by link. `sources` and `shards` are in the order of the paragraphs.

    `redirects`: titles that redirect to others. `redirect_loops`: those that lead to no page, because they redirect in
    a circle or over too many others.
    """

    stage: ClassVar[str] = "pages"
    folder: ClassVar[str] = "pages"

    sources: tuple[PageFile, ...]
    shards: tuple[PageShard, ...]
    redirects: Count
    redirect_loops: Count


class LinkedShard(Stored, frozen=True):
    """A shard of linked paragraphs. `path`: of LINKED. `items_path`: in link/items, of CONTEXT, with `items` rows: the
    items of the mentions and of the pages. `mentions`: kind → number. `ambiguous`: mentions whose text several items
    have as a name.
    """

    path: Inside
    items_path: Inside
    rows: Count
    items: Count
    mentions: dict[str, Count]
    ambiguous: Count


class Linked(StageResult, frozen=True):
    """Written by link; read by match. `shards` are sorted by path."""

    stage: ClassVar[str] = "link"
    folder: ClassVar[str] = "link"

    shards: tuple[LinkedShard, ...]


class ThemeCounts(Stored, frozen=True):
    """`texts`: with this theme. `facts`: relation → facts. `unknown`: relation → texts that it must not be asked of."""

    texts: Count
    facts: dict[str, Count]
    unknown: dict[str, Count]


class MatchedShard(Stored, frozen=True):
    """A shard of match/, with the rows of the shard of link/ with the same name.

    `without_theme`: rows. `values`: mentions of values. `themes`: by key, of the themes that occur.
    """

    path: Inside
    rows: Count
    without_theme: Count
    values: Count
    themes: dict[str, ThemeCounts]


class Matched(StageResult, frozen=True):
    """Written by match; read by score. `shards` are sorted by path."""

    stage: ClassVar[str] = "match"
    folder: ClassVar[str] = "match"

    shards: tuple[MatchedShard, ...]


class ScoredShard(Stored, frozen=True):
    """A shard of score/. `histogram`: numbers of facts with a score in [0, 0.1), [0.1, 0.2), ..., [0.9, 1]."""

    path: Inside
    rows: Count
    histogram: tuple[Count, ...]


class Scored(StageResult, frozen=True):
    """Written by score; read by export. `scorer`: `lexical` or the name of the cross-encoder, without a local path.
    `shards` are sorted by path. `histogram`: that of all shards.
    """

    stage: ClassVar[str] = "score"
    folder: ClassVar[str] = "score"

    scorer: str
    shards: tuple[ScoredShard, ...]
    histogram: tuple[Count, ...]


class Exported(StageResult, frozen=True):
    """Written by export. `splits`: the files that were written, sorted by corpus and split."""

    stage: ClassVar[str] = "export"
    folder: ClassVar[str] = "export"

    splits: tuple[ExportedSplit, ...]
