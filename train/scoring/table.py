"""A report of scores → JSON values, or tables for a terminal."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from schemas.errors import printable
from train.scoring.aggregate import RATES, Figures, Rate, Report, Scores, Table
from train.scoring.words import say
from transforms.pages.phrases import Phrase


def as_json(report: Report) -> dict:
    """The report as JSON values; shares from 0 to 1, null where the denominator is 0."""
    values = {
        "predictions": report.predictions,
        "match": report.match,
        "bootstrap": {"draws": report.draws, "seed": report.seed, "level": 0.95},
        "notes": report.notes,
        "without_answer": report.without_answer,
        "total": row_as_json(report.total),
        "tables": [table_as_json(table) for table in report.tables],
    }
    if report.repaired_total:
        values["repaired"] = {
            "total": row_as_json(report.repaired_total),
            "tables": [table_as_json(table) for table in report.repaired],
        }
    if report.confusions:
        values["confusions"] = asdict(report.confusions)
    return values


def table_as_json(table: Table) -> dict:
    means = [
        {"task": task, "measure": measure, "groups": len(rows), **_triple(mean_figures(rows))}
        for (task, measure), rows in by_measure(table.rows).items()
    ]
    return {"by": table.by, "rows": [row_as_json(row) for row in table.rows], "means": means}


def row_as_json(row: Scores) -> dict:
    values = {**row.group, "measure": row.measure, "texts": row.texts}
    values |= {"gold": row.gold, "predicted": row.predicted, "right": row.right, **_triple(row.figures)}
    if row.intervals:
        names = ("precision_interval", "recall_interval", "f1_interval")
        values |= dict(zip(names, row.intervals, strict=True))
    values |= {"macro": _triple(row.macro), "overlap": _triple(row.overlap)}
    values |= {name: {"value": rate.value, "interval": rate.interval} for name, rate in row.rates.items()}
    if row.spread is not None:
        values |= {"f1_spread": row.spread, "runs": [_triple(run) for run in row.runs]}
    if row.rouge_2 is not None:
        values |= {"rouge_2": row.rouge_2, "f1_and_rouge_2": row.combined}
    values |= {"wrong": row.wrong, "missed": row.missed}
    if row.answers:
        values["answers"] = row.answers
    return values


def _triple(figures: Figures) -> dict[str, float | None]:
    return dict(zip(("precision", "recall", "f1"), figures, strict=True))


def by_measure(rows: Sequence[Scores]) -> dict[tuple[str, str], list[Scores]]:
    """(task, measure) → its rows, in their order."""
    groups: dict[tuple[str, str], list[Scores]] = {}
    for row in rows:
        groups.setdefault((row.group["task"], row.measure), []).append(row)
    return groups


def mean_figures(rows: Sequence[Scores]) -> Figures:
    """The means over groups of precision, recall and F1, without groups where the figure is None."""
    columns = (
        [figure for figure in column if figure is not None]
        for column in zip(*(row.figures for row in rows), strict=True)
    )
    return tuple(sum(column) / len(column) if column else None for column in columns)


def as_text(report: Report) -> str:
    """The tables, with shares in per cent, a line about the answers and one about matching and intervals."""
    parts = [tables_as_text(report.total, report.tables)]
    if report.repaired_total:
        repaired, broken = (report.repaired_total.answers[name] for name in ("repaired", "unparseable"))
        parts.append(f"AFTER REPAIR of {number(repaired)} of {number(broken)} invalid answers (not comparable):")
        parts.append(tables_as_text(report.repaired_total, report.repaired))
    answers = report.total.answers
    parts.append(
        f"{number(answers['rows'])} answers: {number(answers['unparseable'])} are not JSON objects"
        f" ({share(answers['unparseable'] / answers['rows'])} %); the others have {number(answers['malformed'])}"
        f" malformed values and {number(answers['not_asked'])} predictions for labels not asked for."
    )
    interval = f"[95 % intervals: {report.draws:,} resamples of texts, seed {report.seed}]" if report.draws else ""
    parts.append(f"match {report.match}, strict {interval}".rstrip())
    return "\n\n".join(parts)


def tables_as_text(total: Scores, tables: Sequence[Table]) -> str:
    parts = []
    for table in tables:
        parts += [aligned(*score_cells(table)), aligned(*rate_cells(table))]
        parts += [aligned(*error_cells(table, kind)) for kind in ("wrong", "missed")]
    parts.append(f"all tasks and measures together: {' / '.join(share(f) for f in total.figures)} (P / R / F1, %)")
    return "\n\n".join(parts)


def score_cells(table: Table) -> tuple[list[str], list[list[str]]]:
    """Header and rows of figures, with a row for the mean if a measure has several groups."""
    columns = group_columns(table)
    spread = any(row.spread is not None for row in table.rows)
    by_text = any(row.rouge_2 is not None for row in table.rows)
    names = [*columns, "measure", "texts", "gold", "pred", "right", "P", "R", "F1", "95 %"]
    names += ["±"] * spread + ["macro-F1", "overlap-F1"] + ["ROUGE-2", "F1+R2"] * by_text
    header = say.columns(*names)
    rows = []
    for row in table.rows:
        cells = [*group_cells(row, columns), measure(row)]
        cells += [number(count) for count in (row.texts, row.gold, row.predicted, row.right)]
        cells += [share(figure) for figure in row.figures]
        cells.append(
            "–".join(share(end) for end in row.intervals[2]) if row.intervals and row.figures[2] is not None else ""
        )
        cells += [share(row.spread)] * spread
        cells += [share(row.macro[2]), share(row.overlap[2])]
        cells += [share(row.rouge_2), share(row.combined)] * by_text
        rows.append(cells)
    for (task, _), measure_rows in by_measure(table.rows).items():
        if len(measure_rows) > 1:
            name = [task, say("mean", n=len(measure_rows)), *[""] * len(columns)][: len(columns)]
            cells = [
                *name,
                measure(measure_rows[0]),
                "",
                "",
                "",
                "",
                *(share(figure) for figure in mean_figures(measure_rows)),
            ]
            rows.append([*cells, *[""] * (len(header) - len(cells))])
    return header, rows


def rate_cells(table: Table) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the rates with their intervals: items per text, and shares in per cent."""
    columns = group_columns(table)
    rows = [
        [*group_cells(row, columns), measure(row), *(rate_cell(name, row.rates[name]) for name in RATES)]
        for row in table.rows
    ]
    return say.columns(*columns, "measure", "pred/text", "gold/text", "hallucinated", "omitted"), rows


def rate_cell(name: str, rate: Rate) -> str:
    figures = [rate.value, *((rate.interval or ()) if rate.value is not None else ())]
    value, *ends = map(share, figures) if name in ("hallucinated", "omitted") else map(items_per_text, figures)
    return f"{value} [{'–'.join(ends)}]" if ends else value


def error_cells(table: Table, kind: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of error classes; `kind`: wrong (predictions) or missed (gold)."""
    columns = group_columns(table)
    classes = (say(f"kind.{name}") for name in getattr(table.rows[0], kind))
    header = [*say.columns(*columns, "measure", f"{kind}:"), *classes]
    rows = []
    for row in table.rows:
        counts = getattr(row, kind).values()
        cells = [*group_cells(row, columns), measure(row)]
        rows.append([*cells, number(sum(counts)), *map(number, counts)])
    return header, rows


def measure(row: Scores) -> Phrase:
    return say(f"measure.{row.measure}")


def group_cells(row: Scores, columns: Sequence[str]) -> list[str]:
    return [shown_value(name, row.group[name]) for name in columns]


def shown_value(factor: str, value: str) -> str:
    """The value of a factor: a Phrase for those of a closed set, such as splits, that have words."""
    key = f"{factor}.{value}"
    return say(f"value.{key}") if f"value.{key}" in say.words["en"] else value


def group_columns(table: Table) -> list[str]:
    return ["task", *(name for name in table.by if name != "task")]


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], last_name: str = "measure") -> str:
    """Formats a table: text columns, up to the column `last_name`, left-aligned, figures right-aligned."""
    lines = [[printable(cell) for cell in line] for line in (header, *rows)]
    widths = [max(width(line[at]) for line in lines) for at in range(len(header))]
    left = header.index(last_name)
    return "\n".join("  ".join(_padded(line, widths, left)).rstrip() for line in lines)


def _padded(line: Sequence[str], widths: Sequence[int], left: int) -> Iterator[str]:
    for at, (cell, wide) in enumerate(zip(line, widths, strict=True)):
        blanks = " " * (wide - width(cell))
        yield cell + blanks if at <= left else blanks + cell


def width(text: str) -> int:
    """The width in terminal columns; Chinese characters take two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def share(figure: float | None) -> str:
    """Formats a share in per cent; None as a dash."""
    return "–" if figure is None else f"{100 * figure:.2f}"


def items_per_text(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.2f}"


def number(count: float) -> str:
    """Formats a count, or the mean of counts over runs."""
    return f"{count:,.0f}" if count == int(count) else f"{count:,.1f}"
