"""A result → the header and cells of its tables, and the tables for a terminal."""

from collections.abc import Sequence

from train.scoring.table import aligned, number

NO_EVIDENCE = "random weights: this only shows that the parts work together and is no evidence for or against any arm"

Cells = tuple[list[str], list[list[str]]]
"""The header of a table, and its rows."""


def as_text(result: dict) -> str:
    baseline = result["baseline"]
    lines = [
        headline(result),
        aligned(*arm_cells(result), last_name="arm"),
        f"\nF1 on the held-out sources, in %; difference: the arm minus {baseline}, match {result['match']}:",
        aligned(*score_cells(result)),
    ]
    if result["confusions"]:
        lines += [f"\n{confusion_title(result)}:", aligned(*confusion_cells(result), last_name="confusions")]
    lines.append(f"\n{intervals_note(result)}")
    return "\n".join(lines)


def headline(result: dict) -> str:
    (unit, size), *_ = result["budget"].items()
    return (
        f"base model: {result['model']}{'' if result['evidence'] else f' ({NO_EVIDENCE})'}\n"
        f"{len(result['seeds'])} seeds per arm, {number(size)} {unit} for each model, trained on "
        f"{', '.join(result['trained_on'])}"
    )


def confusion_title(result: dict) -> str:
    return (
        "Right mention, wrong label, per 100 gold items; near: the given label is a hard negative of the right one in "
        f"the dictionary of {result['dictionary']}"
    )


def intervals_note(result: dict) -> str:
    return (
        f"Intervals: 95 %, {result['draws']:,} resamples of texts and of seeds; both arms are scored on the same texts "
        "and seeds."
    )


def arm_cells(result: dict) -> Cells:
    """How much each arm differs from the first one, and what it cost. Figures are means over the seeds."""
    header = ["arm", "rows", "differing rows", "differing labels", "steps", "rows shown", "tokens shown"]
    header += ["build s", "train s", "predict s"]
    rows = []
    for arm, figures in result["arms"].items():
        apart = [figures["differing_rows"], figures["differing_labels"]]
        cells = [arm, number(figures["rows"]), *("–" if share is None else f"{share:.1%}" for share in apart)]
        cells += [number(figures[key]) for key in ("steps", "rows_shown", "tokens_shown")]
        seconds = (number(round(figures[f"{step}_seconds"])) for step in ("build", "train", "predict"))
        rows.append([*cells, *seconds])
    return header, rows


def score_cells(result: dict) -> Cells:
    header = ["arm", "task", "source", "measure", "texts", f"F1 {result['baseline']}", "F1 arm", "difference", "95 %"]
    rows = []
    for row in result["rows"]:
        means = [100 * sum(f1) / len(f1) for f1 in row["f1"]]
        cells = [row["arm"], row["task"], source(row), row["measure"], number(row["texts"])]
        rows.append([*cells, *(f"{mean:.2f}" for mean in means), *difference_cells(row)])
    return header, rows


def confusion_cells(result: dict) -> Cells:
    header = ["arm", "task", "source", "confusions", "gold", result["baseline"], "arm", "difference", "95 %"]
    rows = []
    for row in result["confusions"]:
        cells = [row["arm"], row["task"], source(row), row["kind"], number(row["gold"])]
        rows.append([*cells, *(f"{100 * rate:.2f}" for rate in row["rates"]), *difference_cells(row)])
    return header, rows


def source(row: dict) -> str:
    name = row["source"] or "mean over sources"
    return name if row["labels"] == "all" else f"{name}, held-out labels"


def difference_cells(row: dict) -> Sequence[str]:
    low, high = (100 * end for end in row["interval"])
    return f"{100 * row['difference']:+.2f}", f"{low:+.2f} to {high:+.2f}"
