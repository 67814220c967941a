"""Values in texts: dates, quantities and strings are found by value, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.knowledge import Statement
from transforms.knowledge.values import TextValues, find_values


def time(text: str, precision: int) -> Statement:
    return Statement(571, "time", text=text, precision=precision)


def quantity(text: str, unit: int | None = None) -> Statement:
    return Statement(2046, "quantity", text=text, unit=unit)


def stated(text: str, statement: Statement, lang: str) -> list[str]:
    return [text[start:end] for start, end in find_values(text, statement, lang)]


METRE, KILOMETRE, SQUARE_KM, SQUARE_MILE, FOOT, DOLLAR, MINUTE = 11573, 828224, 712226, 232291, 3710, 4917, 7727
DAY_2009 = time("+2009-12-04T00:00:00Z", 11)
YEAR_2009 = time("+2009-00-00T00:00:00Z", 9)


@pytest.mark.parametrize(
    ("text", "statement", "spans"),
    [
        ("It opened on 4 December 2009.", DAY_2009, ["4 December 2009"]),
        ("It opened on 4th of December, 2009.", DAY_2009, ["4th of December, 2009"]),
        ("On December 4, 2009, it opened.", DAY_2009, ["December 4, 2009"]),
        ("On Dec. 4 2009 it opened.", DAY_2009, ["Dec. 4 2009"]),
        ("It opened (2009-12-04).", DAY_2009, ["2009-12-04"]),
        ("It opened on 5 December 2009.", DAY_2009, []),
        ("It opened on 4 November 2009.", DAY_2009, []),
        ("It opened in 2009.", DAY_2009, []),
        ("It opened in December 2009.", DAY_2009, []),
        ("It opened on 4 December 2009.", time("+2009-12-00T00:00:00Z", 10), ["4 December 2009"]),
        (
            "It opened in December 2009 and closed in November 2009.",
            time("+2009-12-01T00:00:00Z", 10),
            ["December 2009"],
        ),
        ("It opened on 4 December 2009, in 2009.", YEAR_2009, ["4 December 2009", "2009"]),
        ("The years 2008–2009 were bad.", YEAR_2009, ["2009"]),
        ("It cost $2009, weighs 2009 kg, has 2009 people and 12,009 or 2009.5 fans.", YEAR_2009, []),
        ("Room A2009 and 20091 and 12009.", YEAR_2009, []),
        ("He died in 4 BC.", time("-0004-00-00T00:00:00Z", 9), ["4 BC"]),
        ("He died in 4 BC.", time("+0004-00-00T00:00:00Z", 9), []),
        ("He died on March 15, 44 BCE.", time("-0044-03-15T00:00:00Z", 11), ["March 15, 44 BCE"]),
        ("Rome fell in 476, and AD 79 was hot.", time("+0476-00-00T00:00:00Z", 9), ["476"]),
        ("Rome fell in 476, and AD 79 was hot.", time("+0079-00-00T00:00:00Z", 9), ["AD 79"]),
        ("In the 1990s and the 19th century.", time("+1990-00-00T00:00:00Z", 8), ["1990s"]),
        ("In the 1990s and the 19th century.", time("+1801-00-00T00:00:00Z", 7), ["19th century"]),
        ("In the 1990s and the 19th century.", time("+1900-00-00T00:00:00Z", 7), ["19th century"]),
        ("In 2009.", time("2009", 9), []),
        ("In 2009.", time("+2009-00-00T00:00:00Z", 4), []),
    ],
)
def test_english_dates(text, statement, spans):
    assert stated(text, statement, "en") == spans


@pytest.mark.parametrize(
    ("text", "statement", "spans"),
    [
        ("该站于2009年12月4日开通。", DAY_2009, ["2009年12月4日"]),
        ("该站于2009年12月4日开通。", time("+2009-12-00T00:00:00Z", 10), ["2009年12月4日"]),
        ("该站于2009年12月4日开通。", YEAR_2009, ["2009年12月4日"]),
        ("该站于 2009 年 12 月开通，", time("+2009-12-00T00:00:00Z", 10), ["2009 年 12 月"]),
        ("该站于2009年开通。", DAY_2009, []),
        ("该站于二〇〇九年十二月四日开通。", DAY_2009, ["二〇〇九年十二月四日"]),
        ("二零零九年开通。", YEAR_2009, ["二零零九年"]),
        ("公元前221年统一六国。", time("-0221-00-00T00:00:00Z", 9), ["公元前221年"]),
        ("秦始皇于前221年称帝。", time("-0221-00-00T00:00:00Z", 9), ["前221年"]),
        ("公元前二百二十一年", time("-0221-00-00T00:00:00Z", 9), ["公元前二百二十一年"]),
        ("目前2009年的统计", YEAR_2009, ["2009年"]),
        ("作者（1879－1955）", time("+1955-00-00T00:00:00Z", 9), ["1955"]),
        ("1914-1918年的战争", time("+1914-00-00T00:00:00Z", 9), ["1914"]),
        ("历时200年间", time("+0200-00-00T00:00:00Z", 9), []),
        ("30年后", time("+0030-00-00T00:00:00Z", 9), []),
        ("公元30年", time("+0030-00-00T00:00:00Z", 9), ["公元30年"]),
        ("建于20世纪90年代", time("+1990-00-00T00:00:00Z", 8), ["20世纪90年代"]),
        ("建于1990年代", time("+1990-00-00T00:00:00Z", 8), ["1990年代"]),
        ("建于十九世紀", time("+1900-00-00T00:00:00Z", 7), ["十九世紀"]),
        ("公元前5世纪", time("-0450-00-00T00:00:00Z", 7), ["公元前5世纪"]),
    ],
)
def test_chinese_dates(text, statement, spans):
    assert stated(text, statement, "zh") == spans


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("In 2009 it opened.", [(3, 7)]),
        ("In December 2009 it opened.", [(3, 16)]),
        ("On 4 December 2009 it opened.", []),
        ("In May 2009 it opened.", []),
        ("In 2010 it opened.", []),
    ],
)
def test_less_precise_dates(text, spans):
    assert TextValues(text, "en").less_precise(DAY_2009) == spans
    assert TextValues(text, "en").less_precise(YEAR_2009) == []


@pytest.mark.parametrize(
    ("text", "statement", "lang", "spans"),
    [
        ("It has 1,234 inhabitants.", quantity("+1234"), "en", ["1,234"]),
        ("It has 1234 inhabitants in 1999.", quantity("+1234"), "en", ["1234"]),
        ("It has 1234 inhabitants in 1999.", quantity("+1999"), "en", []),
        ("It has 1.2 million inhabitants.", quantity("+1234567"), "en", ["1.2 million"]),
        ("It has 1.3 million inhabitants.", quantity("+1234567"), "en", []),
        ("It has 11,234 and 1,234,567 and 1234.5.", quantity("+1234"), "en", []),
        ("It is 1,234 km from there.", quantity("+1234"), "en", []),
        ("It covers 943 km².", quantity("+943", SQUARE_KM), "en", ["943 km²"]),
        ("It covers 943 square kilometres.", quantity("+943.2", SQUARE_KM), "en", ["943 square kilometres"]),
        ("It covers 943 km2 (364 sq mi).", quantity("+943", SQUARE_KM), "en", ["943 km2", "364 sq mi"]),
        ("It covers 943 km.", quantity("+943", SQUARE_KM), "en", []),
        ("It covers 943.", quantity("+943", SQUARE_KM), "en", []),
        ("A 324-metre tower", quantity("+324", METRE), "en", ["324-metre"]),
        ("A 0.324 km tower", quantity("+324", METRE), "en", ["0.324 km"]),
        ("It is 5 m high.", quantity("+5.2", METRE), "en", []),
        ("It is 5.0 m high.", quantity("+5.04", METRE), "en", ["5.0 m"]),
        ("It is 3–5 m high.", quantity("+5", METRE), "en", []),
        ("The 10 members met.", quantity("+10", METRE), "en", []),
        ("It ran at 5 mi/h.", quantity("+5", 253276), "en", []),
        ("It earned $3.5m.", quantity("+3500000", DOLLAR), "en", ["$3.5m"]),
        ("It earned US$3.5 million.", quantity("+3456789", DOLLAR), "en", ["US$3.5 million"]),
        ("It earned £3.5m.", quantity("+3500000", DOLLAR), "en", []),
        ("It runs 97 minutes.", quantity("+97", MINUTE), "en", ["97 minutes"]),
        ("Its magnitude is −1.46.", quantity("-1.46"), "en", ["−1.46"]),
        ("Its magnitude is 1.46.", quantity("-1.46"), "en", []),
        ("It is 5 m high.", quantity("+5", 99999999), "en", []),
        ("It is 5 m high.", quantity("five", METRE), "en", []),
        ("It is 5 m high.", quantity("+1e999", METRE), "en", []),
        ("It is 5 m high.", quantity("nan", METRE), "en", []),
        (f"It is 1{'0' * 400} m high and 5 m long.", quantity("+5", METRE), "en", ["5 m"]),
        ("面积943平方公里。", quantity("+943", SQUARE_KM), "zh", ["943平方公里"]),
        ("人口3.5万。", quantity("+35123"), "zh", ["3.5万"]),
        ("人口1亿2000万人。", quantity("+120000000"), "zh", ["1亿2000万"]),
        ("长三百二十公里。", quantity("+320", KILOMETRE), "zh", ["三百二十公里"]),
        ("海拔5,895公尺", quantity("+5895", METRE), "zh", ["5,895公尺"]),
        ("票房5.2亿美元", quantity("+520000000", DOLLAR), "zh", ["5.2亿美元"]),
        ("第5米", quantity("+5", METRE), "zh", []),
        ("2009年有2009人", quantity("+2009"), "zh", ["2009"]),
    ],
)
def test_quantities(text, statement, lang, spans):
    assert stated(text, statement, lang) == spans


@pytest.mark.parametrize(
    ("text", "string", "spans"),
    [
        ("Panthera leo is the lion.", "Panthera leo", [(0, 12)]),
        ("Panthera leonis", "Panthera leo", []),
        ("panthera leo", "Panthera leo", []),
        ("车站编号为BJS。BJS", "BJS", [(5, 8), (9, 12)]),
        ("ABJS and BJS2", "BJS", []),
        ("本名曹孟德，字", "曹孟德", [(2, 5)]),
        ("A is a letter", "A", []),
        ("Platform 12", "12", []),
        ("", "name", []),
    ],
)
def test_strings(text, string, spans):
    assert find_values(text, Statement(225, "string", text=string), "zh") == spans


@pytest.mark.parametrize("kind", ["item", "unknown"])
def test_items_and_unknown_values_are_not_found(kind):
    assert find_values("Q5 5", Statement(31, kind, item=5), "en") == []


PARTS = (
    *("2009", "12月", "4", " December", "4 December 2009", "1,234", " km", "BC", "AD ", "5.5", "in ", "1st century"),
    *"年日万三百十亿〇前-$–., 0²m",
    *("公里", "公元", "世纪"),
)
TEXTS = st.lists(st.sampled_from(PARTS), max_size=12).map("".join) | st.text(max_size=60)


@given(TEXTS, st.sampled_from(["en", "zh"]))
def test_spans_are_sorted_and_in_the_text(text, lang):
    values = TextValues(text, lang)
    for spans in (values.dates, values.quantities):
        last = 0
        for span in spans:
            assert last <= span.start < span.end <= len(text)
            last = span.end


@given(st.integers(1000, 2999), st.integers(1, 12), st.integers(1, 28), st.sampled_from([9, 10, 11]))
def test_a_date_states_all_less_precise_times(year, month, day, precision):
    statement = time(f"+{year}-{month:02}-{day:02}T00:00:00Z", precision)
    assert stated(f"于{year}年{month}月{day}日，", statement, "zh") == [f"{year}年{month}月{day}日"]


@given(st.integers(0, 10**12))
def test_a_whole_number_is_stated_by_itself(number):
    value = quantity(f"+{number}", METRE)
    assert stated(f"it is {number:,} m long", value, "en") == [f"{number:,} m"]
    assert stated(f"长{number}米", value, "zh") == [f"{number}米"]
