"""The file of contrasts: read, checked, and updated without touching what a person wrote."""

import json

import pytest

from hard_negatives.contrast_file import LONGEST_LINE, Contrast, read, signed, update
from schemas.errors import ConfigError

CITY = signed(Contrast("a town; not 'village'", "a town", {"village": "a small place"}, "template"))
VILLAGE = signed(Contrast("a small place", "a small place", {}, "gpt"))


def test_entries_are_sorted_and_readable(tmp_path):
    path = str(tmp_path / "lines.json")
    update(path, {("RE", "a", "z"): VILLAGE, ("NER", "towns", "城市"): CITY, ("NER", "b", "x"): VILLAGE})
    text = (tmp_path / "lines.json").read_text(encoding="utf-8")
    assert (
        '"城市"' in text and list(json.loads(text)) == ["NER", "RE"] and list(json.loads(text)["NER"]) == ["b", "towns"]
    )
    assert read(path) == {("NER", "b", "x"): VILLAGE, ("NER", "towns", "城市"): CITY, ("RE", "a", "z"): VILLAGE}
    update(path, {})
    assert (tmp_path / "lines.json").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "change",
    [
        {"contrast": "a large place"},
        {"description": "mine"},
        {"neighbours": {}},
        {"model": "me"},
        {"checksum": ""},
    ],
)
def test_entries_that_a_person_changed_are_kept(tmp_path, change):
    path = tmp_path / "lines.json"
    update(str(path), {("NER", "towns", "city"): CITY, ("NER", "towns", "village"): VILLAGE})
    content = json.loads(path.read_text())
    content["NER"]["towns"]["city"] |= change
    path.write_text(json.dumps(content))
    new = signed(Contrast("new", model="gpt"))
    update(str(path), {("NER", "towns", "city"): new, ("NER", "towns", "village"): new})
    after = read(str(path))
    assert after["NER", "towns", "city"].is_edited and after["NER", "towns", "village"] == new
    assert json.loads(path.read_text())["NER"]["towns"]["city"]["contrast"] != "new"


def test_a_person_need_only_write_the_line(tmp_path):
    path = tmp_path / "lines.json"
    path.write_text('{"NER": {"towns": {"city": {"contrast": "a big place"}}}}')
    assert read(str(path))["NER", "towns", "city"] == Contrast("a big place")
    assert read(str(path))["NER", "towns", "city"].is_edited and not CITY.is_edited


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"NER": {"towns": {"city": {"contrast": "a\\nb"}}}}', "NER, 'towns', 'city': more than one line"),
        ('{"NER": {"towns": {"city": {"contrast": " "}}}}', "NER, 'towns', 'city': the line is empty"),
        (
            f'{{"NER": {{"towns": {{"city": {{"contrast": "{"x" * 5000}"}}}}}}}}',
            f"NER, 'towns', 'city': 5,000 characters, at most {LONGEST_LINE}",
        ),
        ('{"NER": {"towns": {"city": {"contrst": "a"}}}}', "NER, 'towns', 'city': Object contains unknown field"),
        ('{"NER": {"towns": {"city": "a"}}}', "NER, 'towns', 'city': Expected `object`, got `str`"),
        ('{"NER": {"towns": []}}', "NER, 'towns': not a JSON object; expected {task: {source: {label:"),
        ('{"NRE": {}}', "no task is called 'NRE'; did you mean"),
        ("[]", "not a JSON object"),
        ('{"NER": {"towns": {"city": {"contrast": "a"},}}}', ":1: invalid JSON"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "lines.json"
    path.write_text(content)
    with pytest.raises(ConfigError) as error:
        read(str(path))
    shown = str(error.value)
    assert shown.startswith(str(path)) and message in shown and len(shown.splitlines()) == 1 and len(shown) < 500
