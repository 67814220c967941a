"""python -m benchmarks.instruct: generated records → rows per second of the instruct stage, with Parquet output."""

from collections.abc import Sequence

from benchmarks.build import in_folder, parse, show


def main(flags: Sequence[str] | None = None) -> None:
    arguments = parse(__doc__, flags)
    figures = in_folder(arguments, "instruct")
    seconds = figures["stages"]["instruct"]["wall_s"]
    figures |= {"measured": "the instruct stage", "rows_per_s": round(figures["instructions"] / seconds)}
    show(figures, arguments.json)


if __name__ == "__main__":
    main()
