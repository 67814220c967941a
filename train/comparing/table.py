"""A result → the header and cells of its tables, and the tables for a terminal."""

from collections.abc import Sequence

from train.scoring.table import aligned, number
from train.scoring.words import say
from transforms.pages.phrases import Phrase

Cells = tuple[list[str], list[list[str]]]
"""The header of a table, and its rows."""


def as_text(result: dict) -> str:
    baseline = result["baseline"]
    lines = [
        *headline(result),
        aligned(*arm_cells(result), last_name="arm"),
        f"\nF1 on the held-out sources, in %; difference: the arm minus {baseline}, match {result['match']}:",
        aligned(*score_cells(result)),
    ]
    if result["confusions"]:
        lines += [f"\n{confusion_title(result)}:", aligned(*confusion_cells(result), last_name="confusions")]
    lines.append(f"\n{intervals_note(result)}")
    return "\n".join(lines)


def headline(result: dict) -> Sequence[Phrase]:
    """What was trained, in two lines."""
    (unit, size), *_ = result["budget"].items()
    model = say("comparison.model" if result["evidence"] else "comparison.random", model=result["model"])
    sources = say.joined("list.two", result["trained_on"])
    return model, say(f"comparison.{unit}", n=len(result["seeds"]), size=number(size), sources=sources)


def confusion_title(result: dict) -> Phrase:
    return say("comparison.confusions", arm=result["dictionary"])


def intervals_note(result: dict) -> Phrase:
    return say("comparison.intervals", draws=result["draws"])


def arm_cells(result: dict) -> Cells:
    """How much each arm differs from the first one, and what it cost. Figures are means over the seeds."""
    names = ["arm", "rows", "differing rows", "differing labels", "steps", "rows shown", "tokens shown"]
    header = say.columns(*names, "build s", "train s", "predict s")
    rows = []
    for arm, figures in result["arms"].items():
        apart = [figures["differing_rows"], figures["differing_labels"]]
        cells = [arm, number(figures["rows"]), *("–" if share is None else f"{share:.1%}" for share in apart)]
        cells += [number(figures[key]) for key in ("steps", "rows_shown", "tokens_shown")]
        seconds = (number(round(figures[f"{step}_seconds"])) for step in ("build", "train", "predict"))
        rows.append([*cells, *seconds])
    return header, rows


def score_cells(result: dict) -> Cells:
    header = say.columns("arm", "task", "source", "measure", "texts")
    header += [f"F1 {result['baseline']}", *say.columns("F1 arm", "difference", "95 %")]
    rows = []
    for row in result["rows"]:
        means = [100 * sum(f1) / len(f1) for f1 in row["f1"]]
        cells = [row["arm"], row["task"], source(row), kind(row, "measure"), number(row["texts"])]
        rows.append([*cells, *(f"{mean:.2f}" for mean in means), *difference_cells(row)])
    return header, rows


def confusion_cells(result: dict) -> Cells:
    header = say.columns("arm", "task", "source", "confusions", "gold")
    header += [result["baseline"], *say.columns("arm", "difference", "95 %")]
    rows = []
    for row in result["confusions"]:
        cells = [row["arm"], row["task"], source(row), kind(row, "kind"), number(row["gold"])]
        rows.append([*cells, *(f"{100 * rate:.2f}" for rate in row["rates"]), *difference_cells(row)])
    return header, rows


def source(row: dict) -> str:
    name = row["source"] or say("comparison.mean")
    return name if row["labels"] == "all" else say("comparison.held_out", source=name)


def kind(row: dict, key: str) -> Phrase:
    """What a row counts. `key`: `measure` for scores, `kind` for confusions."""
    return say(f"measure.{row[key]}" if key == "measure" else f"comparison.{row[key]}")


def difference_cells(row: dict) -> Sequence[str]:
    low, high = (100 * end for end in row["interval"])
    return f"{100 * row['difference']:+.2f}", say("comparison.interval", low=f"{low:+.2f}", high=f"{high:+.2f}")
