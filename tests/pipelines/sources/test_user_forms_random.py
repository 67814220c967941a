"""No line and no value in a file of an annotation tool stops a reader: the samples with random changes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.user_forms import form_named, recognise
from schemas.example import RawExample
from schemas.label import OpenLabels
from tests.pipelines.sources.test_user_forms import JSON_SAMPLES, TEXT, TEXT_SAMPLES, read_text_sample
from tests.tool_files import tool_file
from transforms.normalize import normalize


@pytest.mark.parametrize("sample", TEXT_SAMPLES)
@given(data=st.data())
def test_no_line_stops_a_reader(tmp_path_factory, sample, data):
    _, content = TEXT_SAMPLES[sample]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(start + 30, len(content))))
        content = content[:start] + data.draw(NOISE) + content[end:]
    labels = OpenLabels()
    for record in read_text_sample(tmp_path_factory.getbasetemp(), sample, content):
        if isinstance(record, RawExample):
            normalize(record, labels, labels, labels, {})


NOISE = st.text(max_size=3) | st.sampled_from(
    [
        "\n",
        "\t",
        "\n\n",
        "9" * 25,
        "-1",
        "[1]",
        "|",
        "\\",
        "🦊",
        "\udce9",
        "<",
        "</",
        '"',
        "{",
        "null",
        "[]",
        "0",
        "_",
        "*",
        ";",
        "&x;",
    ]
)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "x", "0", TEXT])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)


def places(value: object) -> list[tuple]:
    """The paths of all parts of a value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(key, *path) for key, part in parts for path in [(), *places(part)]]


def changed(value: object, path: tuple, new: object) -> object:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("sample", JSON_SAMPLES)
@given(data=st.data())
def test_no_value_stops_a_reader(tmp_path_factory, sample, data):
    rows = JSON_SAMPLES[sample]
    for _ in range(data.draw(st.integers(1, 3))):
        rows = changed(rows, data.draw(st.sampled_from(places(rows) or [()])), data.draw(VALUES))
        if not isinstance(rows, list):
            return
    file = tool_file(tmp_path_factory.getbasetemp(), json.dumps(rows), "changed.json")
    recognise(file)
    labels = OpenLabels()
    for record in form_named(sample.partition(",")[0]).read([file]):
        if isinstance(record, RawExample):
            normalize(record, labels, labels, labels, {})


@pytest.mark.parametrize("sample", [*JSON_SAMPLES, "bioc_json"])
def test_a_key_that_is_not_utf8_stops_no_reader(tmp_path, sample):
    """Python's json decodes such a key, which msgspec then refuses with an error of its own."""
    rows = JSON_SAMPLES[sample] if sample in JSON_SAMPLES else json.loads(TEXT_SAMPLES[sample][1])
    for number, path in enumerate([(), *places(rows)]):
        part = rows
        for key in path:
            part = part[key]
        if isinstance(part, dict):
            spoilt = changed(rows, path, {"\udce9": 1, **part})
            for layout in ([spoilt, spoilt] if isinstance(spoilt, dict) else spoilt), spoilt:
                file = tool_file(tmp_path, json.dumps(layout, indent=1), f"{number}.json")
                recognise(file)
                list(form_named(sample.partition(",")[0]).read([file]))
