"""Numbers with their units in English and Chinese texts: `1,234`, `1.2 million km²`, `$3.5m`, `943平方公里`, `3.5万`.

units.yaml lists the units. A number that is part of a longer one, of a range or of a name such as `A320` is left out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from transforms import yaml_values

UNITS = Path(__file__).with_name("units.yaml")

LARGEST_ERROR = 0.05
"""The largest relative difference between a value and a rounded number that states it."""

LONGEST_NUMBER = 40
"""Characters; a longer row of digits is no quantity."""

SCALES = {
    "en": {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12},
    "zh": {
        **{"百": 1e2, "千": 1e3, "万": 1e4, "萬": 1e4, "百万": 1e6, "百萬": 1e6, "千万": 1e7, "千萬": 1e7},
        **{"亿": 1e8, "億": 1e8, "兆": 1e12, "万亿": 1e12, "萬億": 1e12},
    },
}
SHORT_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9}
"""After an amount of money."""

SHORT_SCALE = re.compile(r"(bn|mn|[kmb])(?!\w)")

MYRIADS = {"亿": 1e8, "億": 1e8, "万": 1e4, "萬": 1e4}
STEPS = {"千": 1_000, "百": 100, "十": 10}
DIGITS = dict(zip("〇零一二两兩三四五六七八九", (0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))

DASH = "[-‐‑‒–—－~～]"
NUMBER = re.compile(
    rf"(?<![\d.,])(?<!\d{DASH})(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?(?![\d]|[.,]\d|[ \xa0]?{DASH}[ \xa0]?\d)",
    re.ASCII,
)
CHINESE_NUMBER = re.compile("(?<![第一二三四五六七八九十百千])[〇零一二两兩三四五六七八九十百千万萬亿億]{1,14}")
LETTER = re.compile("[A-Za-z_]")
SPACE = "[ \xa0]?"


@dataclass(frozen=True)
class Unit:
    """`factor`: base units of its dimension per unit."""

    dimension: str
    factor: float


class Quantity(NamedTuple):
    """`digits`: significant digits. `step`: the value of a 1 in the last one. `unit`: None for a bare number."""

    start: int
    end: int
    value: float
    digits: int
    step: float
    unit: Unit | None

    @property
    def dimension(self) -> str:
        return self.unit.dimension if self.unit else COUNT


@dataclass(frozen=True)
class Notation:
    """How numbers are written in texts of a language: regular expressions, and the units that they recognise."""

    scale: re.Pattern[str]
    after: re.Pattern[str]
    before: re.Pattern[str]
    units_after: dict[str, Unit]
    units_before: dict[str, Unit]


@cache
def unit_table() -> dict[str, dict]:
    table = yaml_values.read(UNITS, "install IEForge again")
    assert isinstance(table, dict)
    return table


@cache
def units() -> dict[int, Unit]:
    """Number of the item → unit."""
    return {int(key[1:]): Unit(row["dimension"], float(row["factor"])) for key, row in unit_table().items()}


COUNT = "count"
"""The dimension of a number without a unit."""


@cache
def dimensions() -> frozenset[str]:
    return frozenset({COUNT, *(unit.dimension for unit in units().values())})


@cache
def notation(lang: str) -> Notation:
    keys = ("symbols", "en", "zh") if lang == "zh" else ("symbols", "en")
    before: dict[str, Unit] = {}
    after: dict[str, Unit] = {}
    for key, row in unit_table().items():
        unit = units()[int(key[1:])]
        after |= {name: unit for names in keys for name in row.get(names, ()) if name not in after}
        before |= {name: unit for name in row.get("before", ()) if name not in before}
    names = alternatives(after)
    scales = SCALES["en"] | (SCALES["zh"] if lang == "zh" else {})
    return Notation(
        re.compile(f"{SPACE}({alternatives(scales)})(?![a-z])"),
        re.compile(rf"[ \xa0-]?(?:({names})(?<=[^A-Za-z])|({names})(?<=[A-Za-z])(?![\w²³/]))", re.ASCII),
        re.compile(f"({alternatives(before)}){SPACE}$"),
        after,
        before,
    )


def alternatives(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))


def find_quantities(text: str, lang: str) -> list[Quantity]:
    """The numbers in a text in Chinese (`zh`) or another language, which is read as English; sorted."""
    notes = notation("zh" if lang == "zh" else "en")
    parsed = list(ascii_quantities(text, notes))
    if lang == "zh":
        taken = {position for quantity in parsed for position in range(quantity.start, quantity.end)}
        parsed += (quantity for quantity in chinese_quantities(text, notes) if quantity.start not in taken)
        parsed.sort()
    return list(joined(parsed))


def ascii_quantities(text: str, notes: Notation) -> Iterator[Quantity]:
    for match in NUMBER.finditer(text):
        start, end = match.span()
        if end - start > LONGEST_NUMBER:
            continue
        before = notes.before.search(text, max(0, start - 5), start)
        unit = notes.units_before[before[1]] if before else None
        if before:
            start = before.start()
        if start and text[start - 1] in "-−" and (start == 1 or not text[start - 2].isalnum()):
            start -= 1
        if start and (LETTER.match(text, start - 1) or text[start - 1] in "/#№第"):
            continue
        scale, end = scale_after(text, end, notes, unit)
        if not unit:
            unit, end = unit_after(text, end, notes)
        if not unit and LETTER.match(text, end):
            continue
        value = float(match[0].replace(",", "")) * scale
        digits, step = precision(match[0])
        yield Quantity(start, end, -value if text[start] in "-−" else value, digits, step * scale, unit)


def scale_after(text: str, end: int, notes: Notation, unit: Unit | None) -> tuple[float, int]:
    """The factor of a word such as `million` at `end`, and where the number ends with it."""
    scales = SCALES["en"] | SCALES["zh"]
    if match := notes.scale.match(text, end):
        return scales[match[1]], match.end()
    if unit and (match := SHORT_SCALE.match(text, end)):
        return SHORT_SCALES[match[1]], match.end()
    return 1.0, end


def unit_after(text: str, end: int, notes: Notation) -> tuple[Unit | None, int]:
    """The unit at `end`, and where the quantity ends with it."""
    match = notes.after.match(text, end)
    return (notes.units_after[match[1] or match[2]], match.end()) if match else (None, end)


def precision(number: str) -> tuple[int, float]:
    """Significant digits of a decimal number, and the value of a 1 in the last one. Zeros at the end of a whole number
    do not count.
    """
    whole, _, decimals = number.replace(",", "").partition(".")
    if decimals:
        return len((whole + decimals).lstrip("0")) or 1, 10.0 ** -len(decimals)
    significant = whole.lstrip("0").rstrip("0")
    zeros = len(whole) - len(whole.rstrip("0"))
    return max(len(significant), 1), 10.0**zeros


def chinese_quantities(text: str, notes: Notation) -> Iterator[Quantity]:
    """Numerals such as `三百二十` that have a unit."""
    for match in CHINESE_NUMBER.finditer(text):
        unit, end = unit_after(text, match.end(), notes)
        value = numeral(match[0])
        if unit and value:
            digits, step = precision(str(value))
            yield Quantity(match.start(), end, float(value), digits, step, unit)


def numeral(text: str) -> int:
    """The value of a Chinese numeral: `三百二十`, `两万五千`, or digits as in `一二〇`."""
    if not any(sign in STEPS or sign in MYRIADS for sign in text):
        return int("".join(str(DIGITS[sign]) for sign in text))
    total = section = digit = 0
    for sign in text:
        if sign in MYRIADS:
            total = (
                int((total + section + digit) * MYRIADS[sign])
                if MYRIADS[sign] > 1e4
                else total + int((section + digit) * MYRIADS[sign])
            )
            section = digit = 0
        elif sign in STEPS:
            section += (digit or 1) * STEPS[sign]
            digit = 0
        else:
            digit = DIGITS[sign]
    return total + section + digit


def joined(quantities: list[Quantity]) -> Iterator[Quantity]:
    """Parts of one number without a space between them as one: `1亿` and `2000万`."""
    last: Quantity | None = None
    for quantity in quantities:
        if last and last.end == quantity.start and last.unit is None and last.step > quantity.value > 0:
            last = Quantity(
                last.start,
                quantity.end,
                last.value + quantity.value,
                last.digits + quantity.digits,
                quantity.step,
                quantity.unit,
            )
            continue
        if last:
            yield last
        last = quantity
    if last:
        yield last


def states(quantity: Quantity, value: float, unit: Unit | None) -> bool:
    """Whether the number in the text states a value, exactly or rounded to at least two digits."""
    if (unit is None) != (quantity.unit is None):
        return False
    tolerance = abs(value) * 1e-6
    if unit and quantity.unit:
        if unit.dimension != quantity.unit.dimension:
            return False
        if unit != quantity.unit:
            value = value * unit.factor / quantity.unit.factor
    difference = abs(value - quantity.value)
    rounded = quantity.digits >= 2 and (unit is not None or quantity.step >= 100 or quantity.step < 1)
    if rounded:
        tolerance = max(tolerance, min(quantity.step * 0.5000001, abs(value) * LARGEST_ERROR))
    return difference <= tolerance
