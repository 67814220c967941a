"""A report of scores → JSON values, or tables for a terminal."""

import unicodedata
from collections.abc import Iterator, Sequence

from schemas.errors import printable
from train.scoring.aggregate import Figures, Report, Scores, Table


def as_json(report: Report) -> dict:
    """The report as JSON values; shares from 0 to 1, null where there is nothing to divide by."""
    found = {
        "predictions": report.predictions,
        "match": report.match,
        "bootstrap": {"draws": report.draws, "seed": report.seed, "level": 0.95},
        "notes": report.notes,
        "total": row_as_json(report.total),
        "tables": [tables_as_json(table) for table in report.tables],
    }
    if report.repaired_total:
        found["repaired"] = {
            "total": row_as_json(report.repaired_total),
            "tables": [tables_as_json(table) for table in report.repaired],
        }
    return found


def tables_as_json(table: Table) -> dict:
    means = [
        {"task": task, "measure": measure, "groups": len(rows), **_triple(mean_figures(rows))}
        for (task, measure), rows in by_measure(table.rows).items()
    ]
    return {"by": table.by, "rows": [row_as_json(row) for row in table.rows], "means": means}


def row_as_json(row: Scores) -> dict:
    found = {**row.group, "measure": row.measure, "texts": row.texts}
    found |= {"gold": row.gold, "predicted": row.predicted, "right": row.right, **_triple(row.figures)}
    if row.intervals:
        names = ("precision_interval", "recall_interval", "f1_interval")
        found |= dict(zip(names, row.intervals, strict=True))
    found |= {"macro": _triple(row.macro), "overlap": _triple(row.overlap)}
    if row.spread is not None:
        found |= {"f1_spread": row.spread, "runs": [_triple(run) for run in row.runs]}
    if row.answers:
        found |= {"rouge_2": row.rouge_2, "f1_and_rouge_2": row.combined}
        found |= {"wrong": row.wrong, "missed": row.missed, "answers": row.answers}
    return found


def _triple(figures: Figures) -> dict[str, float | None]:
    return dict(zip(("precision", "recall", "f1"), figures, strict=True))


def by_measure(rows: Sequence[Scores]) -> dict[tuple[str, str], list[Scores]]:
    """(task, measure) → its rows, in the order in which they stand."""
    found: dict[tuple[str, str], list[Scores]] = {}
    for row in rows:
        found.setdefault((row.group["task"], row.measure), []).append(row)
    return found


def mean_figures(rows: Sequence[Scores]) -> Figures:
    """Precision, recall and F1 as the mean over groups, those without a figure left out."""
    columns = (
        [figure for figure in column if figure is not None]
        for column in zip(*(row.figures for row in rows), strict=True)
    )
    return tuple(sum(column) / len(column) if column else None for column in columns)


def as_text(report: Report) -> str:
    """The tables, shares in per cent, with a line about the answers and one on what else to know."""
    parts = [text_of_tables(report.total, report.tables)]
    if report.repaired_total:
        repaired, broken = (report.repaired_total.answers[name] for name in ("repaired", "unparseable"))
        parts.append(f"AFTER REPAIR of {number(repaired)} of {number(broken)} broken answers (not comparable):")
        parts.append(text_of_tables(report.repaired_total, report.repaired))
    answers = report.total.answers
    parts.append(
        f"{number(answers['rows'])} answers: {number(answers['unparseable'])} are no JSON object"
        f" ({share(answers['unparseable'] / answers['rows'])} %); in the others {number(answers['malformed'])} pieces"
        f" of another shape, {number(answers['not_asked'])} predictions for labels not asked."
    )
    interval = f"[95 % intervals: {report.draws:,} resamples of texts, seed {report.seed}]" if report.draws else ""
    parts.append(f"match {report.match}, strict {interval}".rstrip())
    return "\n\n".join(parts)


def text_of_tables(total: Scores, tables: Sequence[Table]) -> str:
    parts = []
    for table in tables:
        parts.append(aligned(*score_cells(table)))
        if any(row.wrong for row in table.rows):
            parts += [aligned(*error_cells(table, kind)) for kind in ("wrong", "missed")]
    parts.append(f"all tasks and measures together: {' / '.join(share(f) for f in total.figures)} (P / R / F1, %)")
    return "\n\n".join(parts)


def score_cells(table: Table) -> tuple[list[str], list[list[str]]]:
    """Header and rows of figures, with the mean over groups below where there are several."""
    columns = group_columns(table)
    spread = any(row.spread is not None for row in table.rows)
    by_text = any(row.answers for row in table.rows)
    header = [*columns, "measure", "texts", "gold", "pred", "right", "P", "R", "F1", "95 %"]
    header += ["±"] * spread + ["macro-F1", "overlap-F1"] + ["ROUGE-2", "F1+R2"] * by_text
    rows = []
    for row in table.rows:
        cells = [*(row.group[name] for name in columns), row.measure]
        cells += [number(count) for count in (row.texts, row.gold, row.predicted, row.right)]
        cells += [share(figure) for figure in row.figures]
        cells.append("–".join(share(end) for end in row.intervals[2]) if row.intervals else "")
        cells += [share(row.spread)] * spread
        cells += [share(row.macro[2]), share(row.overlap[2])]
        cells += [share(row.rouge_2), share(row.combined)] * by_text
        rows.append(cells)
    for (task, measure), of_measure in by_measure(table.rows).items():
        if len(of_measure) > 1:
            name = [task, f"mean of {len(of_measure)}", *[""] * len(columns)][: len(columns)]
            cells = [*name, measure, "", "", "", "", *(share(figure) for figure in mean_figures(of_measure))]
            rows.append([*cells, *[""] * (len(header) - len(cells))])
    return header, rows


def error_cells(table: Table, kind: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of error classes, of `wrong` predictions or of `missed` gold."""
    columns = group_columns(table)
    header = [*columns, "measure", f"{kind}:", *getattr(table.rows[0], kind)]
    rows = []
    for row in table.rows:
        counts = getattr(row, kind).values()
        cells = [*(row.group[name] for name in columns), row.measure]
        rows.append([*cells, number(sum(counts)), *map(number, counts)])
    return header, rows


def group_columns(table: Table) -> list[str]:
    return ["task", *(name for name in table.by if name != "task")]


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text to the left, of figures to the right."""
    lines = [[printable(cell) for cell in line] for line in (header, *rows)]
    widths = [max(width(line[at]) for line in lines) for at in range(len(header))]
    left = header.index("measure")
    return "\n".join("  ".join(_padded(line, widths, left)).rstrip() for line in lines)


def _padded(line: Sequence[str], widths: Sequence[int], left: int) -> Iterator[str]:
    for at, (cell, wide) in enumerate(zip(line, widths, strict=True)):
        blanks = " " * (wide - width(cell))
        yield cell + blanks if at <= left else blanks + cell


def width(text: str) -> int:
    """Columns of a terminal; Chinese characters take two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def share(figure: float | None) -> str:
    """In per cent; a dash where there is none."""
    return "–" if figure is None else f"{100 * figure:.2f}"


def number(count: float) -> str:
    """A count, or the mean of several runs' counts."""
    return f"{count:,.0f}" if count == int(count) else f"{count:,.1f}"
