"""Compares two builds or releases: sources, counts, labels, instructions and examples."""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence

import msgspec

from schemas import command
from schemas.build_statistics import Statistics
from schemas.errors import ConfigError, printable, quoted
from schemas.example import SPLITS, TASKS
from schemas.label import Label, LabelSet
from schemas.releases import MARKER, ReleaseRecord

EPILOG = """\
An example is told by its id. It is altered where its text is another (text_sha256), or what is annotated in it for a
task that both have. An instruction is altered where any of its columns is. A release whose files are not those that
its release.json lists is refused. Exit codes: 1 the machine, 2 configuration.
"""
FIRST_IDS = 3
ROWS_A_TABLE = 5_000


COLUMNS = ("id", "example_id", "text_sha256", "instruction", "output", "label", "labels", "positives", "hard_negatives")


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.diff", __doc__, EPILOG)
    parser.add_argument("old", metavar="OLD", help="the folder of a build or of a release")
    parser.add_argument("new", metavar="NEW", help="another one")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the ids of all examples")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, diff, flags)


def diff(arguments: argparse.Namespace) -> int:
    changes = difference(arguments.old.rstrip("/"), arguments.new.rstrip("/"))
    print(json.dumps(changes) if arguments.json else "\n".join(map(printable, lines(changes))))
    return 0


def difference(old: str, new: str) -> dict:
    """What differs; every part holds only that, and is empty where nothing does.

    `sources`: `added` and `gone` keys. `counts`: KEY/SPLIT → `read` and `kept` examples as [old, new]. `labels`:
    TASK/KEY → `added`, `gone` and `altered` label names. `instructions`: TASK/SPLIT → `rows` as [old, new] and how
    many were `added`, `gone`, `altered`. `examples`: KEY/SPLIT → ids `added`, `gone`, `altered`.

    In memory at a time: the ids and two 8-byte digests of every row of one split, never its texts.
    """
    statistics = [read_statistics(root) for root in (old, new)]
    keys = [set(one.sources) for one in statistics]
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
    """Raises ConfigError where there are none, and for a damaged release."""
    from pipelines import build_reports
    from transforms import files

    if not files.exists(f"{root}/{build_reports.STATISTICS}") or not files.is_folder(f"{root}/data"):
        raise ConfigError(
            f"{root}: neither a validated build nor a release (no {build_reports.STATISTICS} and data/ in it)"
        )
    refuse_damaged(root)
    return build_reports.read_statistics(root)


def refuse_damaged(root: str) -> None:
    """Raises ConfigError for a release that lacks files which it lists, or has them with other bytes."""
    from pipelines.engine.dag import checksums
    from transforms import files

    if files.exists(f"{root}/{MARKER}"):
        listed = files.read_json(f"{root}/{MARKER}", ReleaseRecord, "publish or copy the release again").files
        there = files.sizes(root, listed)
        missing = [name for name, file in listed.items() if there.get(name) != file.size]
        if missing:
            raise ConfigError(f"{root}: half a release, {missing[0]} is not as it lists it; publish or copy it again")
        for name, sha256 in checksums(root, listed).items():
            if sha256 != listed[name].sha256:
                raise ConfigError(
                    f"{root}: {name} holds other bytes than {MARKER} lists; publish or copy the release again"
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
    """Label sets that one side alone has count as added or gone whole."""
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

    listed = files.list_files(f"{root}/labels") if files.is_folder(f"{root}/labels") else []
    sets = {
        file.name.removesuffix(".json"): files.read_json(file.path, LabelSet, build_folder.AGAIN)
        for file in listed
        if file.name.endswith(".json") and "/" in file.name
    }
    return {at: {label.name: label for label in label_set.labels} for at, label_set in sets.items()}


def instruction_changes(old: str, new: str, split: str) -> tuple[dict, dict]:
    """(TASK/SPLIT → changes of rows, KEY/SPLIT → changes of examples) of one split."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from schemas.id_columns import source_keys

    rows: dict[str, dict] = {}
    seen: tuple[list, list] = ([], [])
    altered = []
    for task in TASKS:
        sides = [digests(root, task, split) for root in (old, new)]
        added, gone, changed = (len(ids) for ids in compare(*(side.select(["id", "row"]) for side in sides)))
        if added or gone or changed:
            counts = {"added": added, "gone": gone, "altered": changed}
            rows[f"{task}/{split}"] = {"rows": [side.num_rows for side in sides], **counts}
        examples = [by_example(side) for side in sides]
        altered.append(compare(*examples)[2])
        for ids, side in zip(seen, examples, strict=True):
            ids.append(side["id"])
    before, after = (pc.unique(pa.chunked_array([c for one in ids for c in one.chunks], pa.string())) for ids in seen)
    changes: dict[str, dict[str, list[str]]] = {}
    for kind, ids in (
        ("added", after.filter(pc.invert(pc.is_in(after, before)))),
        ("gone", before.filter(pc.invert(pc.is_in(before, after)))),
        ("altered", pc.unique(pa.concat_arrays(altered))),
    ):
        keys = source_keys(ids)
        for key, one in zip(keys.to_pylist(), ids.to_pylist(), strict=True):
            changes.setdefault(f"{key}/{split}", {}).setdefault(kind, []).append(one)
    return rows, {at: {kind: sorted(ids) for kind, ids in of.items()} for at, of in changes.items()}


def digests(root: str, task: str, split: str):
    """A table of all rows of a task and split: `id`, `example_id`, and 8 bytes each for the row, the text, the gold.

    Raises ConfigError for a shard that holds no instructions.
    """
    import pyarrow as pa

    from transforms import files
    from transforms.shards import read_batches

    kind = pa.schema(
        [("id", pa.string()), ("example_id", pa.string())] + [(name, pa.uint64()) for name in ("row", "text", "gold")]
    )
    folder = f"{root}/data/{task}"
    shards = files.list_files(folder, recursive=False) if files.is_folder(folder) else []
    tables = [kind.empty_table()]
    for shard in shards:
        if shard.name.startswith(f"{split}-") and shard.name.endswith(".parquet"):
            check_columns(shard.path)
            for table in read_batches(shard.path, ROWS_A_TABLE, COLUMNS):
                check_values(shard.path, table)
                listed = table.to_pylist()
                columns = [
                    table["id"],
                    table["example_id"],
                    pa.array([number(json.dumps(list(row.values()))) for row in listed], pa.uint64()),
                    pa.array([int(row["text_sha256"][:16], 16) for row in listed], pa.uint64()),
                    pa.array([gold(row, shard.path) for row in listed], pa.uint64()),
                ]
                tables.append(pa.table(columns, schema=kind))
    return pa.concat_tables(tables)


def check_columns(path: str) -> None:
    """Raises ConfigError for a shard that lacks a column, has it twice, or with values of another type."""
    from schemas.arrow import INSTRUCTIONS
    from transforms.shards import read_schema

    schema = read_schema(path)
    for name in COLUMNS:
        places = schema.get_all_field_indices(name)
        if len(places) != 1:
            raise no_instructions(path, f"{'two columns' if places else 'no column'} {name}")
        if not holds(schema.field(name).type, INSTRUCTIONS.field(name)):
            raise no_instructions(path, f"column {name} is {schema.field(name).type}")


def holds(kind, field) -> bool:
    """Whether a column of the Arrow type `kind` holds what `field` is for. A column of nothing has the type null."""
    import pyarrow as pa

    if pa.types.is_null(kind):
        return field.nullable
    if pa.types.is_list(field.type):
        return pa.types.is_list(kind) and kind.value_type in (field.type.value_type, pa.null())
    return kind == field.type


def check_values(path: str, table) -> None:
    """Raises ConfigError for rows without what each must have, and for texts that are no UTF-8."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from schemas.arrow import INSTRUCTIONS

    for name in COLUMNS:
        if table[name].null_count and not INSTRUCTIONS.field(name).nullable:
            raise no_instructions(path, f"a row without {name}")
    try:
        table.validate(full=True)
    except pa.ArrowInvalid as error:
        raise no_instructions(path, " ".join(str(error).split())) from error
    if not pc.all(pc.match_substring_regex(table["text_sha256"], "^[0-9a-f]{64}$")).as_py():
        raise no_instructions(path, "a text_sha256 that is no SHA-256")


def no_instructions(path: str, why: str) -> ConfigError:
    return ConfigError(f"{path}: no shard of instructions ({why}); publish or build it again")


def number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def gold(row: dict, path: str) -> int:
    """A number for what is annotated, whatever labels are asked: those of the rows of one example are added up.

    In test rows each has all of it. Raises ConfigError, which names the shard `path`, for answers that are no answers.
    """
    if row["label"] is not None:
        return number(row["label"])
    if row["output"] is None:
        return 0
    place = f"{path}: output of {quoted(row['id'])}"
    try:
        answers = msgspec.json.decode(row["output"], type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(f"{place}: no JSON object ({error}); publish or build it again") from error
    try:
        return sum(number(json.dumps([label, answer])) for label, answer in answers.items() if answer) % 2**64
    except RecursionError as error:  # just below where reading it fails
        raise ConfigError(f"{place}: nested too deeply; publish or build it again") from error


def by_example(rows):
    """A table with a row an example: `id`, `text`, `gold`. Sums of 64 bits run over, which serves as well."""
    grouped = rows.group_by("example_id", use_threads=False).aggregate([("text", "min"), ("gold", "sum")])
    return grouped.select(["example_id", "text_min", "gold_sum"]).rename_columns(["id", "text", "gold"])


def compare(old, new) -> tuple:
    """(ids in `new` alone, in `old` alone, with other values in the other columns) of two tables with a column `id`."""
    import pyarrow.compute as pc

    place = pc.index_in(new["id"], value_set=old["id"])
    added = new["id"].filter(pc.is_null(place))
    gone = old["id"].filter(pc.invert(pc.is_in(old["id"], value_set=new["id"])))
    both = new.filter(pc.is_valid(place))
    before = old.take(place.drop_null())
    differs = None
    for name in new.column_names[1:]:
        one = pc.not_equal(both[name], before[name])
        differs = one if differs is None else pc.or_(differs, one)
    return added, gone, both["id"].filter(differs).combine_chunks()


def lines(found: dict) -> Iterator[str]:
    """The difference for people, a line a change; of a source that one side alone has, one line."""
    if not any(found[part] for part in found if part != "sources") and not any(found["sources"].values()):
        yield "no difference"
    whole = {key for keys in found["sources"].values() for key in keys}
    for kind, keys in found["sources"].items():
        for key in keys:
            examples = sum(len(found["examples"].get(f"{key}/{split}", {}).get(kind, ())) for split in SPLITS)
            yield f"source {key}: {kind}, {examples:,} examples"
    for at, names in found["labels"].items():
        if at.partition("/")[2] not in whole:
            yield f"labels {at}: " + "; ".join(f"{kind} {', '.join(of)}" for kind, of in names.items())
    for at, numbers in found["counts"].items():
        if at.rpartition("/")[0] not in whole:
            yield f"counts {at}: " + ", ".join(f"{name} {old:,} → {new:,}" for name, (old, new) in numbers.items())
    for at, kinds in found["examples"].items():
        if at.rpartition("/")[0] not in whole:
            told = (
                f"{len(ids):,} {kind} ({', '.join(ids[:FIRST_IDS])}{', …' if len(ids) > FIRST_IDS else ''})"
                for kind, ids in kinds.items()
            )
            yield f"examples {at}: " + ", ".join(told)
    for at, of in found["instructions"].items():
        changes = ", ".join(f"{of[kind]:,} {kind}" for kind in ("added", "gone", "altered") if of[kind])
        yield f"instructions {at}: {of['rows'][0]:,} → {of['rows'][1]:,}, {changes}"


if __name__ == "__main__":
    sys.exit(main())
