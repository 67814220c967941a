"""Compares two builds or releases: sources, counts, labels, instructions and examples."""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence

from schemas import answer_form, command
from schemas.build_statistics import Statistics
from schemas.errors import ConfigError, printable, quoted
from schemas.example import SPLITS, TASKS
from schemas.label import Label, LabelSet
from schemas.releases import MARKER, ReleaseRecord

EPILOG = """\
examples:
  %(prog)s releases/v1 releases/v2
  %(prog)s build releases/v2 --json

Examples are matched by id. An example is altered if its text (text_sha256) differs, or its annotations for a task that
both sides have. An instruction is altered if any of its columns differs. A release whose files differ from those listed
in its release.json is refused. Exit codes: 1 the machine, 2 configuration.
"""
FIRST_IDS = 3
ROWS_PER_TABLE = 5_000
COLUMNS = ("id", "example_id", "text_sha256", "instruction", "output", "label", "labels", "positives", "hard_negatives")


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.diff", __doc__, EPILOG, "publish.md")
    parser.add_argument("old", metavar="OLD", help="the folder of a build or of a release")
    parser.add_argument("new", metavar="NEW", help="the folder of a second build or release")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the ids of all examples")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, diff, flags)


def diff(arguments: argparse.Namespace) -> int:
    changes = difference(arguments.old.rstrip("/"), arguments.new.rstrip("/"))
    print(json.dumps(changes) if arguments.json else "\n".join(map(printable, change_lines(changes))))
    return 0


def difference(old: str, new: str) -> dict:
    """The differences between two builds or releases. A part without differences is empty.

    `sources`: `added` and `gone` keys. `counts`: KEY/SPLIT → `read` and `kept` examples as [old, new]. `labels`:
    TASK/KEY → `added`, `gone` and `altered` label names. `instructions`: TASK/SPLIT → `rows` as [old, new] and how
    many were `added`, `gone`, `altered`. `examples`: KEY/SPLIT → ids `added`, `gone`, `altered`.

    Only the ids and 8-byte digests of the rows of one split are in memory at a time, never the texts. Raises
    ConfigError for a folder that is not a validated build or an undamaged release.
    """
    statistics = [read_statistics(root) for root in (old, new)]
    keys = [set(side.sources) for side in statistics]
    examples: dict[str, dict[str, list[str]]] = {}
    instructions: dict[str, dict] = {}
    for split in SPLITS:
        rows, kept = instruction_changes(old, new, split)
        instructions |= rows
        examples |= kept
    return {
        "sources": {"added": sorted(keys[1] - keys[0]), "gone": sorted(keys[0] - keys[1])},
        "counts": count_changes(*statistics),
        "labels": label_changes(old, new),
        "instructions": {at: instructions[at] for at in sorted(instructions)},
        "examples": {at: examples[at] for at in sorted(examples)},
    }


def read_statistics(root: str) -> Statistics:
    """The statistics of a build or release. Raises ConfigError if it has none, and for a damaged release."""
    from pipelines import build_reports
    from transforms import files

    if not files.exists(f"{root}/{build_reports.STATISTICS}") or not files.is_folder(f"{root}/data"):
        raise ConfigError(
            f"{root}: neither a validated build nor a release (no {build_reports.STATISTICS} and data/ in it)"
        )
    refuse_damaged(root)
    return build_reports.read_statistics(root)


def refuse_damaged(root: str) -> None:
    """Raises ConfigError for a release with files that are missing or differ from those listed in its release.json."""
    from pipelines.engine.dag import checksums
    from transforms import files

    if files.exists(f"{root}/{MARKER}"):
        expected = files.read_json(f"{root}/{MARKER}", ReleaseRecord, "publish or copy the release again").files
        sizes = files.sizes(root, expected)
        damaged = [name for name, file in expected.items() if sizes.get(name) != file.size]
        if damaged:
            raise ConfigError(
                f"{root}: incomplete release, {damaged[0]} is missing or has another size than {MARKER} lists; "
                "publish or copy the release again"
            )
        for name, sha256 in checksums(root, expected).items():
            if sha256 != expected[name].sha256:
                raise ConfigError(
                    f"{root}: {name} differs from the file that {MARKER} lists; publish or copy the release again"
                )


def count_changes(old: Statistics, new: Statistics) -> dict[str, dict[str, list[int]]]:
    """KEY/SPLIT → `read` and `kept` examples as [old, new], where they differ; 0 on a side without the split."""
    changes = {}
    for key in sorted({*old.sources, *new.sources}):
        for split in SPLITS:
            sides = [side.sources.get(key, {}).get(split) for side in (old, new)]
            numbers = {
                "read": [side.read.examples if side else 0 for side in sides],
                "kept": [side.kept.examples if side else 0 for side in sides],
            }
            differing = {name: pair for name, pair in numbers.items() if pair[0] != pair[1]}
            if differing:
                changes[f"{key}/{split}"] = differing
    return changes


def label_changes(old: str, new: str) -> dict[str, dict[str, list[str]]]:
    """TASK/KEY → names of labels `added`, `gone` and `altered`.

    If only one side has a label set, all of its labels count as added or gone.
    """
    sides = [label_sets(root) for root in (old, new)]
    changes = {}
    for at in sorted({*sides[0], *sides[1]}):
        before, after = (side.get(at, {}) for side in sides)
        parts = {
            "added": sorted(after.keys() - before.keys()),
            "gone": sorted(before.keys() - after.keys()),
            "altered": sorted(name for name in before.keys() & after.keys() if before[name] != after[name]),
        }
        if any(parts.values()):
            changes[at] = {kind: names for kind, names in parts.items() if names}
    return changes


def label_sets(root: str) -> dict[str, dict[str, Label]]:
    """TASK/KEY → label name → the label."""
    from pipelines import build_folder
    from transforms import files

    paths = files.list_files(f"{root}/labels") if files.is_folder(f"{root}/labels") else []
    sets = {
        file.name.removesuffix(".json"): files.read_json(file.path, LabelSet, build_folder.REMEDY)
        for file in paths
        if file.name.endswith(".json") and "/" in file.name
    }
    return {at: {label.name: label for label in label_set.labels} for at, label_set in sets.items()}


def instruction_changes(old: str, new: str, split: str) -> tuple[dict, dict]:
    """(TASK/SPLIT → changed rows, KEY/SPLIT → changed examples) of one split, as `difference` documents them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from schemas.id_columns import source_keys

    rows: dict[str, dict] = {}
    example_ids: tuple[list, list] = ([], [])
    altered = []
    for task in TASKS:
        sides = [digests(root, task, split) for root in (old, new)]
        added, gone, changed = (len(ids) for ids in compare(*(side.select(["id", "row"]) for side in sides)))
        if added or gone or changed:
            counts = {"added": added, "gone": gone, "altered": changed}
            rows[f"{task}/{split}"] = {"rows": [side.num_rows for side in sides], **counts}
        examples = [group_by_example(side) for side in sides]
        altered.append(compare(*examples)[2])
        for ids, side in zip(example_ids, examples, strict=True):
            ids.append(side["id"])
    before, after = (
        pc.unique(pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string()))
        for columns in example_ids
    )
    changes: dict[str, dict[str, list[str]]] = {}
    for kind, ids in (
        ("added", after.filter(pc.invert(pc.is_in(after, before)))),
        ("gone", before.filter(pc.invert(pc.is_in(before, after)))),
        ("altered", pc.unique(pa.concat_arrays(altered))),
    ):
        keys = source_keys(ids)
        for key, id_ in zip(keys.to_pylist(), ids.to_pylist(), strict=True):
            changes.setdefault(f"{key}/{split}", {}).setdefault(kind, []).append(id_)
    return rows, {at: {kind: sorted(ids) for kind, ids in kinds.items()} for at, kinds in changes.items()}


def digests(root: str, task: str, split: str):
    """A table of all rows of a task and split: `id`, `example_id`, and 64-bit digests of the `row`, `text` and `gold`.

    Raises ConfigError for a shard that is not a valid shard of instructions.
    """
    import pyarrow as pa

    from transforms import files
    from transforms.shards import read_batches, read_schema

    schema = pa.schema(
        [("id", pa.string()), ("example_id", pa.string())] + [(name, pa.uint64()) for name in ("row", "text", "gold")]
    )
    folder = f"{root}/data/{task}"
    shards = files.list_files(folder, recursive=False) if files.is_folder(folder) else []
    tables = [schema.empty_table()]
    for shard in shards:
        if shard.name.startswith(f"{split}-") and shard.name.endswith(".parquet"):
            check_columns(shard.path)
            has_form = "form" in read_schema(shard.path).names
            for table in read_batches(shard.path, ROWS_PER_TABLE, [*COLUMNS, *(["form"] if has_form else [])]):
                check_values(shard.path, table)
                rows = table.to_pylist()
                columns = [
                    table["id"],
                    table["example_id"],
                    pa.array([hash_text(json.dumps([row[name] for name in COLUMNS])) for row in rows], pa.uint64()),
                    pa.array([int(row["text_sha256"][:16], 16) for row in rows], pa.uint64()),
                    pa.array([hash_gold(row, task, shard.path) for row in rows], pa.uint64()),
                ]
                tables.append(pa.table(columns, schema=schema))
    return pa.concat_tables(tables)


def check_columns(path: str) -> None:
    """Raises ConfigError for a shard in which a column is missing, occurs twice or has the wrong type."""
    from schemas.arrow import INSTRUCTIONS
    from transforms.shards import read_schema

    schema = read_schema(path)
    for name in COLUMNS:
        places = schema.get_all_field_indices(name)
        if len(places) != 1:
            raise shard_error(path, f"{'two columns' if places else 'no column'} {name}")
        if not is_compatible(schema.field(name).type, INSTRUCTIONS.field(name)):
            raise shard_error(path, f"column {name} is {schema.field(name).type}")


def is_compatible(kind, field) -> bool:
    """Whether a column of the Arrow type `kind` can be read as `field`. An empty column may have the type null."""
    import pyarrow as pa

    if pa.types.is_null(kind):
        return field.nullable
    if pa.types.is_list(field.type):
        return pa.types.is_list(kind) and kind.value_type in (field.type.value_type, pa.null())
    return kind == field.type


def check_values(path: str, table) -> None:
    """Raises ConfigError for missing values in required columns, texts that are not UTF-8 and invalid checksums."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from schemas.arrow import INSTRUCTIONS

    for name in COLUMNS:
        if table[name].null_count and not INSTRUCTIONS.field(name).nullable:
            raise shard_error(path, f"a row without {name}")
    try:
        table.validate(full=True)
    except pa.ArrowInvalid as error:
        raise shard_error(path, " ".join(str(error).split())) from error
    if not pc.all(pc.match_substring_regex(table["text_sha256"], "^[0-9a-f]{64}$")).as_py():
        raise shard_error(path, "a text_sha256 that is not a SHA-256")


def shard_error(path: str, why: str) -> ConfigError:
    return ConfigError(f"{path}: not a shard of instructions ({why}); publish or build it again")


def hash_text(text: str) -> int:
    """A 64-bit hash."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def hash_gold(row: dict, task: str, path: str) -> int:
    """A 64-bit hash of the annotations that a row answers with, in whatever form.

    The sum over the rows of an example does not depend on how its labels are divided into prompts. Test rows contain
    all annotations of the example. Raises ConfigError, with the shard `path`, if the output does not have its form.
    """
    from transforms import answer_forms

    if row["label"] is not None:
        return hash_text(row["label"])
    if row["output"] is None:
        return 0
    place = f"{path}: output of {quoted(row['id'])}"
    form = row.get("form", answer_form.DEFAULT)
    try:
        answers = answer_forms.read(form, task, row["output"])
    except ValueError as error:
        kind = "a JSON object" if form == answer_form.DEFAULT else f"an answer in the form {form}"
        raise ConfigError(f"{place}: not {kind} ({error}); publish or build it again") from error
    try:
        return sum(hash_text(json.dumps([label, answer])) for label, answer in answers.items() if answer) % 2**64
    except RecursionError as error:  # slightly less deep nesting than the JSON reader refuses
        raise ConfigError(f"{place}: nested too deeply; publish or build it again") from error


def group_by_example(rows):
    """A table with one row per example: `id`, `text`, `gold`. The 64-bit sums may overflow harmlessly."""
    grouped = rows.group_by("example_id", use_threads=False).aggregate([("text", "min"), ("gold", "sum")])
    return grouped.select(["example_id", "text_min", "gold_sum"]).rename_columns(["id", "text", "gold"])


def compare(old, new) -> tuple:
    """(ids only in `new`, ids only in `old`, ids in both with differing columns) of two tables with a column `id`."""
    import pyarrow.compute as pc

    place = pc.index_in(new["id"], value_set=old["id"])
    added = new["id"].filter(pc.is_null(place))
    gone = old["id"].filter(pc.invert(pc.is_in(old["id"], value_set=new["id"])))
    both = new.filter(pc.is_valid(place))
    before = old.take(place.drop_null())
    differs = None
    for name in new.column_names[1:]:
        is_other = pc.not_equal(both[name], before[name])
        differs = is_other if differs is None else pc.or_(differs, is_other)
    return added, gone, both["id"].filter(differs).combine_chunks()


def change_lines(changes: dict) -> Iterator[str]:
    """The differences as text, one line per change, and one line for a source that only one side has."""
    if not any(changes[part] for part in changes if part != "sources") and not any(changes["sources"].values()):
        yield "no difference"
    one_sided = {key for keys in changes["sources"].values() for key in keys}
    for kind, keys in changes["sources"].items():
        for key in keys:
            examples = sum(len(changes["examples"].get(f"{key}/{split}", {}).get(kind, ())) for split in SPLITS)
            yield f"source {key}: {kind}, {examples:,} examples"
    for at, names in changes["labels"].items():
        if at.partition("/")[2] not in one_sided:
            yield f"labels {at}: " + "; ".join(f"{kind} {', '.join(labels)}" for kind, labels in names.items())
    for at, numbers in changes["counts"].items():
        if at.rpartition("/")[0] not in one_sided:
            yield f"counts {at}: " + ", ".join(f"{name} {old:,} → {new:,}" for name, (old, new) in numbers.items())
    for at, kinds in changes["examples"].items():
        if at.rpartition("/")[0] not in one_sided:
            parts = (
                f"{len(ids):,} {kind} ({', '.join(ids[:FIRST_IDS])}{', …' if len(ids) > FIRST_IDS else ''})"
                for kind, ids in kinds.items()
            )
            yield f"examples {at}: " + ", ".join(parts)
    for at, counts in changes["instructions"].items():
        parts = (f"{counts[kind]:,} {kind}" for kind in ("added", "gone", "altered") if counts[kind])
        yield f"instructions {at}: {counts['rows'][0]:,} → {counts['rows'][1]:,}, " + ", ".join(parts)


if __name__ == "__main__":
    sys.exit(main())
