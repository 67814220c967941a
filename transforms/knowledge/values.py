"""Where a text states the value of a statement: a date, a quantity or a string, found by value.

- A date in the text states a time if it is as precise or more precise, and agrees: `4 December 2009` states `December
  2009` and `2009`. A year in the text does not state a day.
- A number states a quantity of the same unit, or of another unit of the same dimension after conversion, exactly or
  rounded. A quantity without a unit needs a number without one. Dates are not numbers.
- A string is stated where it occurs as a whole word, in the same case.
"""

import math
import re
from bisect import bisect_right
from collections import defaultdict
from functools import cached_property

from schemas.knowledge import Statement
from transforms.knowledge.dates import CENTURY, DAY, DECADE, MONTH, YEAR, Date, find_dates
from transforms.knowledge.quantities import Quantity, find_quantities, states, units

Span = tuple[int, int]

TIME = re.compile(r"([+-]?)0*(\d{1,9})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
LONGEST_STRING = 200


class TextValues:
    """The dates and numbers in a text; they are parsed when they are first needed."""

    def __init__(self, text: str, lang: str):
        self.text, self.lang = text, lang

    @cached_property
    def dates(self) -> list[Date]:
        return find_dates(self.text, self.lang)

    @cached_property
    def dates_by_year(self) -> dict[int, list[Date]]:
        by_year = defaultdict(list)
        for date in self.dates:
            if date.precision >= YEAR:
                by_year[date.year].append(date)
        return by_year

    @cached_property
    def quantities(self) -> list[Quantity]:
        """The numbers that are not part of a date, unless they have a unit."""
        starts = [date.start for date in self.dates]

        def in_date(quantity: Quantity) -> bool:
            place = bisect_right(starts, quantity.end - 1) - 1
            return place >= 0 and self.dates[place].end > quantity.start

        return [quantity for quantity in find_quantities(self.text, self.lang) if not in_date(quantity)]

    def find(self, statement: Statement) -> list[Span]:
        """The spans that state the value, sorted; none for an item or an unknown value."""
        if statement.text is None:
            return []
        if statement.kind == "time":
            return self.find_time(statement.text, statement.precision or 0)
        if statement.kind == "quantity":
            return self.find_quantity(statement.text, statement.unit)
        return find_string(self.text, statement.text) if statement.kind == "string" else []

    def find_time(self, time: str, precision: int) -> list[Span]:
        """Dates that agree with a time, and are as precise or more precise."""
        match = TIME.match(time)
        if not match or precision < CENTURY:
            return []
        sign = -1 if match[1] == "-" else 1
        year, month, day = (int(number) for number in match.groups()[1:])
        if precision in (CENTURY, DECADE):
            year = (year + 99) // 100 if precision == CENTURY else year // 10 * 10
            dates = [date for date in self.dates if date.precision == precision and date.year == sign * year]
        else:
            dates = self.dates_by_year.get(sign * year, [])
            if precision >= MONTH:
                dates = [date for date in dates if date.month == month]
            if precision >= DAY:
                dates = [date for date in dates if date.day == day]
        return [(date.start, date.end) for date in dates]

    def less_precise(self, statement: Statement) -> list[Span]:
        """Dates that agree with a time, but are less precise: the year or month of a day."""
        match = TIME.match(statement.text or "")
        if not match or statement.kind != "time":
            return []
        year, month = int(match[2]) * (-1 if match[1] == "-" else 1), int(match[3])
        return [
            (date.start, date.end)
            for date in self.dates_by_year.get(year, ())
            if date.precision < min(statement.precision or 0, DAY) and date.month in (0, month)
        ]

    def find_quantity(self, amount: str, unit: int | None) -> list[Span]:
        if unit is not None and unit not in units():
            return []
        try:
            value = float(amount)
        except ValueError:
            return []
        if not math.isfinite(value):
            return []
        kind = None if unit is None else units()[unit]
        return [(quantity.start, quantity.end) for quantity in self.quantities if states(quantity, value, kind)]


def find_string(text: str, string: str) -> list[Span]:
    """The places of a string as a whole word: no letter or digit of another script than Chinese may continue it. A
    single character, or digits alone, are too common to be a name.
    """
    string = string.strip()
    if not 2 <= len(string) <= LONGEST_STRING or not any(sign.isalpha() for sign in string):
        return []
    spans, start = [], text.find(string)
    while start >= 0:
        end = start + len(string)
        if not (continues(text, start) or continues(text, end)):
            spans.append((start, end))
        start = text.find(string, end)
    return spans


def continues(text: str, place: int) -> bool:
    """Whether a word goes on from before `place` to behind it."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    return before.isalnum() and after.isalnum() and not CJK.match(before) and not CJK.match(after)


def find_values(text: str, statement: Statement, lang: str) -> list[Span]:
    """The spans of `text` that state the value of a statement, sorted. `lang`: `zh`, else the text is read as English.

    To find many statements in one text, make one TextValues.
    """
    return TextValues(text, lang).find(statement)
