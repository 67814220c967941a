"""Dates in English and Chinese texts, with their precision.

English: `4 December 2009`, `December 4th, 2009`, `Dec. 2009`, `2009-12-04`, `2009`, `476 AD`, `4 BC`, `the 1990s`,
`the 19th century`. Chinese: `2009年12月4日`, `2009年12月`, `2009年`, `公元前221年`, `二〇〇九年`, `1990年代`,
`20世纪90年代`, `19世纪`, `2009-12-04`, and `2009` in brackets or beside a dash.

In English, a year alone has four digits and no unit or noun that it counts after it, an era, or three digits after
`in`. In Chinese, it has `年`, and with less than three digits an era, too, as `30年` is a duration.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

CENTURY, DECADE, YEAR, MONTH, DAY = 7, 8, 9, 10, 11
"""Precisions of times in Wikidata."""


class Date(NamedTuple):
    """`precision`: as in Wikidata. `year`: negative before our era. `month`, `day`: 0 beyond the precision."""

    start: int
    end: int
    precision: int
    year: int
    month: int = 0
    day: int = 0


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH_NAME = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?"
    r"|Sep(?:tember|t\.?|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
ERA = r"[ \xa0]?(?:BCE?|B\.C\.(?:E\.)?|CE|AD|A\.D\.)(?!\w)"
BEFORE_CHRIST = re.compile(r"B\.?C")
ORDINAL = "(?:st|nd|rd|th)"
ISO = r"(?P<iso>[12]\d{3}-[01]\d-[0-3]\d(?![\d-]))"

ENGLISH = re.compile(
    r"(?<![\w.,$£€¥+])(?:"
    rf"(?P<dmy>[0-3]?\d{ORDINAL}?[ \xa0](?:of )?{MONTH_NAME},?[ \xa0]\d{{1,4}}(?!\d)(?:{ERA})?)"
    rf"|(?P<mdy>{MONTH_NAME}[ \xa0][0-3]?\d{ORDINAL}?,?[ \xa0](?:\d{{3,4}}(?!\d)(?:{ERA})?|\d\d?{ERA}))"
    rf"|(?P<my>{MONTH_NAME},?[ \xa0](?:of )?\d{{4}}(?!\d))"
    rf"|{ISO}"
    r"|(?P<decade>[12]\d\d0['’]?s(?!\w))"
    rf"|(?P<century>\d\d?{ORDINAL}[ \xa0-][Cc]entury(?:{ERA})?)"
    rf"|(?P<era>AD[ \xa0]\d{{1,4}}(?!\d)|\d{{1,4}}{ERA})"
    r"|(?P<year>[12]\d{3}|(?<=\b[Ii]n )[1-9]\d\d)(?!\w)"
    r")",
    re.ASCII,
)

COUNTED = re.compile(
    r"[.,]\d|[ \xa0-]?(?:[%°²³]|(?:percent|per cent|people|inhabitants|residents|persons|households|families|students"
    r"|members|soldiers|men|employees|copies|votes|seats|years|times|km|m|cm|mm|ft|mi|kg|t|ha|acres?|hectares?"
    r"|metres?|meters?|feet|foot|miles?|kilo\w+|square|sq|tonnes?|tons?|pounds?|dollars?|euros?|yen|yuan|million"
    r"|billion|thousand)(?!\w))"
)
"""What follows a number that is not a year."""

NUMERALS = "〇零○一二三四五六七八九"
DIGITS = {ord(sign): digit for sign, digit in zip(NUMERALS, "000123456789", strict=True)}
CHINESE_ERA = r"(?:公元前|西元前|公元|西元|(?<![目之以生年月日天此战戰提空])前)\s?"
CHINESE = re.compile(
    rf"(?P<century>(?:公元前|前|公元)?(?:\d\d?|二?十?[{NUMERALS}十])世[纪紀](?:\d0年代)?)"
    r"|(?P<decade>(?<!\d)[12]\d\d0年代)"
    rf"|(?P<ymd>{CHINESE_ERA}(?:\d{{1,4}}|[{NUMERALS}十百]{{1,5}})\s?年"
    rf"|(?<!\d)\d{{3,4}}\s?年|(?<![{NUMERALS}十百千])[{NUMERALS}]{{4}}年)"
    rf"(?P<month>\s?(?:\d\d?|[{NUMERALS}十]{{1,2}})\s?月(?P<day>\s?(?:\d\d?|[{NUMERALS}十]{{1,3}})\s?[日号號])?)?"
    rf"|(?<![\d-]){ISO}"
    r"|(?<=[(（\-–—－~～至到])(?P<after>[12]\d{3})(?=[)）\-–—－~～至到])"
    r"|(?<![\d.,])(?P<before>[12]\d{3})(?=\s?[\-–—－~～至到]\s?(?:[12]\d{3}|今))",
    re.ASCII,
)
DURATION = re.compile(r"[间間来來多余餘]|以[来來]|历史|歷史|的[历歷]史|左右")
"""What follows a number of years."""


def find_dates(text: str, lang: str) -> list[Date]:
    """The dates in a text in Chinese (`zh`) or another language, which is read as English; sorted."""
    return list(chinese_dates(text) if lang == "zh" else english_dates(text))


def is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def english_dates(text: str) -> Iterator[Date]:
    for match in ENGLISH.finditer(text):
        kind, (start, end), content = match.lastgroup, match.span(), match[0]
        numbers = [int(number) for number in re.findall(r"\d+", content)]
        sign = -1 if BEFORE_CHRIST.search(content) else 1
        if kind == "iso":
            year, month, day = numbers
            if is_day(month, day):
                yield Date(start, end, DAY, year, month, day)
        elif kind in ("dmy", "mdy", "my"):
            month = MONTHS.index(re.findall("[A-Z][a-z]{2}", content)[0].lower()) + 1
            day = numbers[0] if kind != "my" else 1
            if is_day(month, day):
                precise = DAY if kind != "my" else MONTH
                yield Date(start, end, precise, sign * numbers[-1], month, day if kind != "my" else 0)
        elif kind == "decade":
            yield Date(start, end, DECADE, numbers[0])
        elif kind == "century":
            yield Date(start, end, CENTURY, sign * numbers[0])
        elif numbers[-1] and (kind == "era" or not COUNTED.match(text, end)):
            yield Date(start, end, YEAR, sign * numbers[-1])


def chinese_dates(text: str) -> Iterator[Date]:
    for match in CHINESE.finditer(text):
        (start, end), content = match.span(), match[0]
        if match["iso"]:
            year, month, day = map(int, content.split("-"))
            if is_day(month, day):
                yield Date(start, end, DAY, year, month, day)
        elif match["century"]:
            head, _, decade = content.replace("紀", "纪").partition("世纪")
            century = chinese_number(head.lstrip("公元前"))
            if decade:
                yield Date(start, end, DECADE, (century - 1) * 100 + int(decade[:2]))
            else:
                yield Date(start, end, CENTURY, -century if "前" in head else century)
        elif match["decade"]:
            yield Date(start, end, DECADE, int(content[:4]))
        elif match["ymd"]:
            head = match["ymd"].rstrip("年").strip()
            year = chinese_number(head.lstrip("公元西前 "))
            era = head[0] in "公西前"
            if not year or (year < 1000 and not era and not match["month"] and DURATION.match(text, match.end("ymd"))):
                continue
            year = -year if "前" in head else year
            month = chinese_number(match["month"].partition("月")[0]) if match["month"] else 0
            day = chinese_number(match["day"].rstrip("日号號")) if match["day"] else 0
            if not is_day(month or 1, day or 1):
                yield Date(start, match.end("ymd"), YEAR, year)
            else:
                yield Date(start, end, DAY if day else MONTH if month else YEAR, year, month, day)
        else:
            yield Date(start, end, YEAR, int(content))


def chinese_number(text: str) -> int:
    """The value of ASCII digits, of Chinese digits (`二〇〇九`), or of a numeral below 1,000 (`二十三`, `一百零五`)."""
    text = text.strip()
    if "十" not in text and "百" not in text:
        return int(text.translate(DIGITS))
    total = 0
    hundreds, _, rest = text.rpartition("百")
    total += int(hundreds.translate(DIGITS) or 1) * 100 if "百" in text else 0
    tens, has_tens, ones = rest.rpartition("十")
    if has_tens:
        total += int(tens.translate(DIGITS) or 1) * 10
    return total + int(ones.translate(DIGITS) or 0)
