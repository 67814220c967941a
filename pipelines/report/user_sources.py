"""A build → what the report shows of each source of a user's own data: what `ieforge inspect` shows of the files.

Everything comes from the manifest and the tables of ingest, so that no file of the user is read again. Texts and the
number of uses of each label are counted in full. Of each split, only the first texts are looked at for problems,
examples of labels, roles and nested entities; the section says how many.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

import pyarrow.compute as pc

from pipelines.describe import agreement
from pipelines.report.gold import compact
from pipelines.report.pseudonyms import Rename, rename_files, renamed
from pipelines.report.samples import DETAIL_CHARS, label_name, short, within
from pipelines.sources import problems
from pipelines.sources.licences import publishing
from pipelines.sources.survey import IGNORED_RECORDS, LAYERS, ProblemsByKind, SplitCounts, Survey, first_problems, kinds
from schemas.agreement import Annotators
from schemas.arrow import layer_items, table_to_examples
from schemas.errors import BadRecord, Reason
from schemas.example import SPLITS, Example, RawExample
from schemas.manifests import REJECTS_KEPT, Ingested, RawShard, SplitRead
from transforms import files
from transforms.shards import read_batches

SURVEYED, ANNOTATIONS = 5_000, 50_000
"""Texts of a split that are looked at, fewer if they have more annotations than this."""

LABELS_SHOWN, FILES_SHOWN, IGNORED_SHOWN = 50, 10, 5
"""Labels per layer; names of files; kinds of annotations that are not used."""

BYTES, SOURCE_BYTES = 2_000_000, 80_000
"""Limits of the size as JSON: over all sources, and per source, even if there are few."""

ONLY_COUNTED = "annotations that are only counted"
"""The kind of the annotations that are not used and not listed."""

ROWS_PER_TABLE = 500
LABEL_ROWS_PER_TABLE = 20_000

LABEL_COLUMNS = [f"{layer}.list.element.label" for layer in LAYERS]

LabelCounts = Mapping[str, Mapping[str, int]]
"""Layer → label → number of annotations."""


def user_sources(output: str, ingested: Ingested, keys: Collection[str], pseudonymous: bool = False) -> dict[str, dict]:
    """Source key → its section of the report, for those of `keys` that are users' own data. `pseudonymous`: without the
    names of annotators.
    """
    chosen = [key for key in keys if key in ingested.user_sources]
    bound = min(SOURCE_BYTES, BYTES // max(1, len(chosen)))
    return {key: section(output, ingested, key, bound, pseudonymous) for key in chosen}


def section(output: str, ingested: Ingested, key: str, bound: int, pseudonymous: bool) -> dict:
    """The section of one source as JSON values; its lists take at most `bound` bytes.

    A text is in the form of `examples.compact`. A problem is [kind, place, detail].
    """
    about, form, raw = ingested.sources[key], ingested.user_sources[key], ingested.raw[key]
    splits = sorted((read for read in ingested.splits if read.key == key), key=lambda read: SPLITS.index(read.split))
    annotators = ingested.annotators.get(key)
    rename = rename_files(annotators if pseudonymous else None)
    annotators = renamed(annotators) if annotators and pseudonymous else annotators
    survey = survey_tables(output, splits)
    left_out = losses(splits, survey)
    visible = {kind: survey.problems[kind] for kind in survey.problems if kind in problems.KINDS}
    names = list(dict.fromkeys(name for split, group in raw.items() if split != "schema" for name, _ in group))
    return {
        "format": short(form.format),
        "files": [len(names), [short(rename(name)) for name in names[:FILES_SHOWN]]],
        "lang_is_guess": form.lang_is_guess,
        "licence": [short(about.licence_text, DETAIL_CHARS), publishing(about)],
        "by_hash": "all" in raw,
        "layers": [layer for layer in LAYERS if layer in survey.layers or any(getattr(r.read, layer) for r in splits)],
        "splits": [split_row(read) for read in splits],
        "surveyed": sum(counts.texts for counts in survey.splits.values()),
        "nested": survey.nested,
        "annotators": annotator_lines(annotators, splits, bound // 8),
        "labels": labels(count_labels(output, splits), survey, bound // 4),
        "first": within((compact(as_example(record)) for record in survey.first_texts), bound // 2),
        "left_out": shown(left_out, bound // 8, rename),
        "problems": shown(visible, bound // 8, rename),
        "ignored": [[short(kind), number] for kind, number in survey.ignored.most_common(IGNORED_SHOWN)],
    }


def survey_tables(output: str, splits: Sequence[SplitRead]) -> Survey:
    """The survey of the first texts and of the rejects of each split. The place of a text is its id."""
    survey = Survey()
    for read in splits:
        counts = survey.splits[read.split] = SplitCounts()
        for record in first_records(output, read.shards):
            survey.add(counts, record, record)
        add_rejects(output, read, counts, survey)
    survey.finish()
    return survey


def first_records(output: str, shards: Sequence[RawShard]) -> Iterator[RawExample]:
    left, annotations = SURVEYED, ANNOTATIONS
    for shard in shards:
        for table in read_batches(f"{output}/{shard.path}", ROWS_PER_TABLE):
            for each in table_to_examples(table.slice(0, left)):
                yield RawExample(each.id, each.text, each.entities, each.relations, each.events)
                annotations -= sum(len(getattr(each, layer) or ()) for layer in LAYERS)
                if annotations <= 0:
                    return
            left -= table.num_rows
            if left <= 0:
                return


def as_example(record: RawExample) -> Example:
    layers = record.entities, record.relations, record.events
    return Example(record.place, "", "", "", record.text, (), *layers)


def add_rejects(output: str, read: SplitRead, counts: SplitCounts, survey: Survey) -> None:
    """Adds what rejects/ lists of a split: first the records, then the parts of records."""
    path = f"{output}/rejects/ingest/{read.key}/{read.split}.parquet"
    if not files.exists(path):
        return
    bad = (number for reason, number in read.rejected.items() if reason != Reason.ONE_PAIR_UNITED)  # not listed
    records = min(REJECTS_KEPT, sum(bad))
    for table in read_batches(path, ROWS_PER_TABLE):
        for row in table.to_pylist():
            problem = BadRecord(row["place"], Reason(row["reason"]), row["detail"])
            if records:
                survey.reject(counts, problem)
                records -= 1
            else:
                survey.lose(counts, problem)
    unlisted = read.lost.get(Reason.IGNORED_ANNOTATION, 0) - counts.lost[Reason.IGNORED_ANNOTATION]
    if unlisted:
        survey.ignored[ONLY_COUNTED] += unlisted


def losses(splits: Sequence[SplitRead], survey: Survey) -> ProblemsByKind:
    """The records and annotations that were left out: all are counted, the first ones are listed."""
    numbers: Counter[str] = Counter()
    for read in splits:
        for reason, number in read.rejected.items():
            if reason not in (Reason.NOT_CHOSEN, *IGNORED_RECORDS):
                numbers[problems.of_record(reason)] += number
        for reason, number in read.lost.items():
            if reason not in (Reason.IGNORED_ANNOTATION, Reason.NOT_CHOSEN):
                numbers[problems.of_part(reason)] += number
    return {kind: (number, survey.problems.get(kind, (0, []))[1]) for kind, number in numbers.items()}


def split_row(read: SplitRead) -> list:
    """[split, texts, of these annotated, number per layer..., records left out, texts beyond ingest.limit]."""
    layers = [getattr(read.read, layer) for layer in LAYERS]
    left_out = sum(number for reason, number in read.rejected.items() if reason != Reason.NOT_CHOSEN)
    return [read.split, read.read.examples, read.annotated, layers, left_out, read.beyond_limit]


def annotator_lines(annotators: Annotators | None, splits: Sequence[SplitRead], bound: int) -> list[str]:
    """The choice among annotators, and their agreement, in lines; none if the files name fewer than two."""
    if annotators is None or len(annotators.texts) < 2:
        return []
    not_chosen = sum(read.rejected.get(Reason.NOT_CHOSEN, 0) for read in splits)
    outvoted = sum(read.lost.get(Reason.NOT_CHOSEN, 0) for read in splits)
    lines = (*agreement.choice_lines(annotators, not_chosen, outvoted), *agreement.lines(annotators))
    return within((short(line, DETAIL_CHARS) for line in lines), bound)


def count_labels(output: str, splits: Sequence[SplitRead]) -> LabelCounts:
    counts: dict[str, Counter[str]] = {layer: Counter() for layer in LAYERS}
    for shard in (shard for read in splits for shard in read.shards):
        for table in read_batches(f"{output}/{shard.path}", LABEL_ROWS_PER_TABLE, LABEL_COLUMNS):
            for layer in LAYERS:
                items, _ = layer_items(table, layer)
                for row in pc.value_counts(items.field("label")).to_pylist():
                    counts[layer][row["values"]] += row["counts"]
    return counts


def labels(counts: LabelCounts, survey: Survey, bound: int) -> list[list]:
    """[layer, number of labels, [[label, number, examples, roles], ...]] of the layers with labels. Of the labels,
    those with most annotations.
    """
    rows = []
    for layer in LAYERS:
        order = sorted(counts[layer].items(), key=lambda item: (-item[1], item[0]))
        uses = survey.labels[layer]
        each = (
            [
                label_name(label),
                number,
                [short(problems.shorten(text)) for text in uses[label].examples] if label in uses else [],
                [label_name(role) for role in uses[label].roles] if label in uses else [],
            ]
            for label, number in order[:LABELS_SHOWN]
        )
        if order:
            rows.append([layer, len(order), within(each, bound // len(LAYERS))])
    return rows


def shown(by_kind: ProblemsByKind, bound: int, rename: Rename) -> list[list]:
    """[[[kind, number], ...], [[kind, place, detail], ...]]: all kinds, and the first problems of all kinds. `rename`:
    changes the names of files.
    """
    first = sorted(first_problems(by_kind), key=lambda problem: kinds(by_kind).index(problem.kind))
    rows = ([short(each.kind), short(rename(each.place)), short(rename(each.detail), DETAIL_CHARS)] for each in first)
    return [[[kind, by_kind[kind][0]] for kind in kinds(by_kind)], within(rows, bound)]
