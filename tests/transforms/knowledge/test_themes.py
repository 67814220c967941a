"""Themes files: the bundled one is complete, a short one is enough, and every mistake is an error with its line."""

import re

import pytest

from schemas.errors import ConfigError
from transforms.knowledge import themes
from transforms.knowledge.themes import VALUE_TYPES, load, theme_of_types

INSTRUCTIE = {
    "Person": 15,
    "Geographic_Location": 9,
    "Building": 11,
    "Artificial_Object": 13,
    "Creature": 11,
    "Astronomy": 11,
    "Organization": 10,
    "Natural_Science": 6,
    "Medicine": 4,
    "Transport": 12,
    "Event": 11,
    "Works": 15,
}
"""Theme → number of relations that InstructIE keeps."""

CHESS = """\
types: {chess player: [Q10873124]}
themes:
  Chess:
    pages: [chess player]
    relations: {federation: {properties: [P1532, ^P488], head: [chess player], tail: [geographic_region]}}
"""


def test_bundled_themes_have_all_relations_in_both_languages():
    bundled = load()
    assert {key: len(theme.relations) for key, theme in bundled.themes.items()} == INSTRUCTIE
    kinds = [*bundled.types.values(), *bundled.themes.values()]
    for theme in bundled.themes.values():
        kinds += theme.relations
        assert theme.types
        for relation in theme.relations:
            assert relation.descriptions.keys() == {"en", "zh"}
            assert relation.head and relation.tail and relation.properties
    for kind in kinds:
        assert kind.names.keys() == {"en", "zh"}
        assert re.search("[一-鿿]", kind.names["zh"]) and kind.names["en"].isascii()


def test_a_relation_has_one_name_in_all_themes():
    names = {}
    for theme in load().themes.values():
        for relation in theme.relations:
            assert names.setdefault(relation.key, relation.names) == relation.names


@pytest.mark.parametrize(
    ("theme", "relation", "tail"),
    [
        ("Organization", "date of incorporation", ("time",)),
        ("Creature", "parent taxon", ("organism",)),
        ("Geographic_Location", "population", ("measure",)),
        ("Person", "parent", ("human",)),
    ],
)
def test_tail_types(theme, relation, tail):
    (spec,) = (spec for spec in load().themes[theme].relations if spec.key == relation)
    assert spec.tail == tail


def test_merged_and_swapped_properties():
    person = load().themes["Person"]
    assert [spec.key for spec in person.by_property[40, True]] == ["parent"]
    assert (40, False) not in person.by_property
    assert {22, 25, 40} < load().properties()


def test_a_theme_in_five_lines(tmp_path):
    path = tmp_path / "chess.yaml"
    path.write_text(CHESS, encoding="utf-8")
    chess = load(path)
    (theme,) = chess.themes.values()
    (relation,) = theme.relations
    assert theme.name("zh") == "Chess" and relation.name("en") == "federation"
    assert relation.properties == ((1532, False), (488, True))
    assert chess.type_classes["chess player"] == (10873124,)
    assert 5 in chess.type_classes["human"]
    assert chess.properties() == {1532, 488}


def test_a_theme_without_pages_applies_to_no_page(tmp_path):
    path = tmp_path / "chess.yaml"
    path.write_text(CHESS.replace("    pages: [chess player]\n", ""), encoding="utf-8")
    assert theme_of_types(["chess player", "human"], load(path)) is None


def test_theme_of_types():
    bundled = load()
    assert theme_of_types(["human"], bundled) == "Person"
    assert theme_of_types(("organization", "geographic_region"), bundled) == "Geographic_Location"
    assert theme_of_types(("other",), bundled) is None
    assert theme_of_types((), bundled) is None


def test_values_have_no_classes_but_time_and_measure_may():
    types = load().types
    assert types["text"].classes == ()
    assert "text" not in load().type_classes
    assert types.keys() >= VALUE_TYPES


ENDS = "properties: [P1], head: [human], tail: [human]"
LABEL_TWICE = "is also the label of the relation"


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("tail: [geographic_region]", "tail: [geografic_region]", 5, "did you mean geographic_region"),
        ("head: [chess player]", "head: [text]", 5, "text is a type of values"),
        ("pages: [chess player]", "pages: [ches player]", 4, "unknown type 'ches player'; did you mean chess player"),
        ("P1532", "Q1532", 5, "not a property such as P19"),
        ("P1532", "P0", 5, "not a property such as P19"),
        ("P1532", "P1532x", 5, "not a property such as P19"),
        ("P1532", "^P488", 5, "^P488 is listed twice"),
        ("[P1532, ^P488]", "[]", 5, "must not be empty"),
        ("{federation: {", f"{{other: {{names: {{zh: federation}}, {ENDS}}}, federation: {{", 5, LABEL_TWICE),
        ("{federation: {", f"{{union: {{{ENDS}}}, federation: {{names: {{en: union}}, ", 5, LABEL_TWICE),
        ("[P1532, ^P488]", "P1532", 5, "is not a list of texts"),
        (", tail: [geographic_region]", "", 5, "tail is missing"),
        ("head: [chess player], ", "", 5, "head is missing"),
        ("tail: [geographic_region]", "tail: [time]", 5, "a swapped property needs a tail that is an item"),
        ("head:", "heads:", 5, "unknown key 'heads'; did you mean head"),
        ("pages:", "type:", 4, "unknown key 'type'"),
        ("themes:", "theme:", 2, "unknown key 'theme'; did you mean themes"),
        ("{federation: {", "{federation: {transitive: 1, ", 5, "must be true or false"),
        ("{federation: {", "{federation: {dimension: size, ", 5, "unknown dimension 'size'; dimensions are A"),
        ("{federation: {", "{federation: {names: chess, ", 5, "must be a mapping of languages to texts"),
        ("{federation: {", "{federation: {names: {en: ''}, ", 5, "must be one line of text"),
        ("{federation: {", "{federation: {names: {English: chess}, ", 5, "not a language code"),
        ("{federation: {", "{2: {", 5, "the name of a relation must be a text"),
        ("Q10873124", "P10873124", 1, "not a class such as Q5"),
        ("[Q10873124]", "[]", 1, "must not be empty"),
        ("types: {", "types: {time: [Q577], ", 1, "time is the type of values"),
        ("types: {chess player: [Q10873124]}", "types: [Q5]", 1, "types must be a mapping with at least one type"),
        ("    pages:", "    relations: {}\n    pages:", 6, "the key relations occurs twice"),
        ("relations: {federation:", "relations: {}\n#", 5, "relations must be a mapping with at least one relation"),
    ],
)
def test_mistakes(tmp_path, old, new, line, message):
    path = tmp_path / "chess.yaml"
    assert old in CHESS
    path.write_text(CHESS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "themes: {}", "types: {a: [Q1]}"])
def test_files_without_themes(tmp_path, text):
    path = tmp_path / "none.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}:1: "):
        load(path)


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match=r"match\.themes"):
        load(tmp_path / "absent.yaml")


def test_types_may_be_replaced(tmp_path):
    path = tmp_path / "chess.yaml"
    human = "human: {names: {en: person}, classes: [Q5]}"
    path.write_text(CHESS.replace("types: {", f"types: {{{human}, "), encoding="utf-8")
    assert load(path).types["human"] == themes.EntityType("human", {"en": "person"}, (5,))
