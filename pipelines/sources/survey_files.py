"""A source's files → what is in them, without a build."""

from collections.abc import Callable, Iterator

from pipelines.sources import Form, Source
from pipelines.sources.agreement import Comparison
from pipelines.sources.judge import SplitOutcome
from pipelines.sources.reading import NoRecord, barrier, no_record, raw_records
from pipelines.sources.registry import Located
from pipelines.sources.source_files import SourceFiles
from pipelines.sources.survey import LAYERS, SplitCounts, Survey
from schemas.errors import BadRecord, SourceError
from schemas.example import SPLITS, RawExample
from schemas.manifests import LayerCounts, SplitRead
from transforms.files import File
from transforms.normalize import normalize


def survey(
    located: Located, source_files: SourceFiles, hashed_split: Callable[[RawExample | BadRecord, Source], str]
) -> tuple[Survey, list[SplitOutcome]]:
    """What is in `source_files`, the files of a source, and the outcome of reading each split.

    `hashed_split`: the split of a record if the files have none. A file that cannot be read ends its split, as in a
    build; the outcomes tell `judge` so.
    """
    result, outcomes, source = Survey(), [], located.source
    for split in ("all", *SPLITS):
        files = source_files.splits.get(split, [])
        if not files:
            continue
        failed = empty = ""
        form = source_files.other_forms.get(split, source_files.form)
        names: dict[str, SplitCounts] = {}
        try:
            for raw, record in pairs(source, form, files, result.comparison):
                name = split if split != "all" else hashed_split(record, source)
                if name not in names:
                    names[name] = result.splits.setdefault(name, SplitCounts())
                if isinstance(record, BadRecord):
                    result.reject(names[name], record)
                elif raw is not None:
                    result.add(names[name], raw, record)
            if not names:
                raise no_record(files)
        except NoRecord as error:
            empty = str(error)
        except SourceError as error:
            failed = str(error)
        if failed or empty:
            outcomes.append(SplitOutcome(located.key, split, failed=failed, empty=empty))
    for name, counts in result.splits.items():
        outcomes.append(SplitOutcome(located.key, name, as_read(located.key, name, counts)))
    result.finish()
    return result, outcomes


def pairs(
    source: Source, form: Form, files: list[File], comparison: Comparison
) -> Iterator[tuple[RawExample | None, RawExample | BadRecord]]:
    """(record as in the file, the same for a build) of one split; (None, bad record) if it cannot be read."""
    maps = source.entity_labels, source.relation_labels, source.event_labels, source.role_names
    with barrier():
        for record in raw_records(form, files, comparison):
            if isinstance(record, RawExample):
                yield record, normalize(record, *maps)
            else:
                yield None, record


def as_read(key: str, split: str, counts: SplitCounts) -> SplitRead:
    read = LayerCounts(counts.texts, *(counts.layers[layer] for layer in LAYERS))
    rejects, lost = tuple(counts.first_rejects), (counts.first_lost,) if counts.first_lost else ()
    rejected, parts = dict(counts.rejected), dict(counts.lost)
    return SplitRead(key, split, read, counts.annotated, 0, rejected, parts, rejects, lost, ())
