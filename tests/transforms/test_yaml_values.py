"""Arbitrary YAML gives a value of plain types, or a one-line error with the line number."""

import json
import time

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.errors import ConfigError, printable
from transforms import yaml_values
from transforms.yaml_values import parse, read, render


def plain(texts: st.SearchStrategy[str]) -> st.SearchStrategy:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=10,
    )


ANY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
UNPRINTED = ("Cs", "Cc", "Cn", "Zl", "Zp")
PRINTED = st.text(st.characters(exclude_categories=UNPRINTED, exclude_characters="\ufeff"), max_size=20)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ("2020-13-45", "2020-01-01", "2020-01-01 10:00:00", "12:30", "1:2:3", "no", "On")),
        *((word, word) for word in ("1_000", "010", "0x1F", "0b1", "=", "e5", "--", "1.2.3", "trueish", "NO", "y")),
        ("5", 5),
        ("-0", 0),
        ("2e-4", 2e-4),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e3", -1500.0),
        ("-.inf", float("-inf")),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("[NER, RE]", ["NER", "RE"]),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}", {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}),
        ("{<<: {a: 1}, a: 2}", {"a": 2}),
        ("1: a\n'1': b", {1: "a", "1": "b"}),
        ("# nothing\n", None),
    ],
)
def test_the_type_of_a_plain_scalar(text, value):
    parsed = parse(text.encode(), "f")
    assert (parsed, type(parsed)) == (value, type(value))


def test_nan_is_read_as_a_float():
    assert parse(b".nan", "f") != parse(b".nan", "f")


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
LONG_BOMB = f"a: &a {'x' * 1000}\nb: &b [{', '.join(['*a'] * 200)}]\nc: [{', '.join(['*b'] * 200)}]\n"
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 400))


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("a: 1\nb: [", 2, "expected the node content"),
        ("a: 1\nb: 2\na: 3\n", 3, "the key a occurs twice"),
        ("a: 1\n---\nb: 2\n", 2, "but found another document"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "could not determine a constructor"),
        ("a: !!timestamp never\n", 1, "could not determine a constructor"),
        ("a: !!binary 5\n", 1, "could not determine a constructor"),
        ("a:\n  !!int five\n", 2, "not a valid int: five"),
        ("a: !!bool perhaps\n", 1, "neither true nor false"),
        ("a: !!float x\n", 1, "not a valid float"),
        ("a: !!int [1]\n", 1, "expected a scalar node"),
        ("a: !!map x\n", 1, "expected a mapping node"),
        ("a: {<<: 5}\n", 1, "expected a mapping"),
        ("[a]: b\n", 1, "found unhashable key"),
        ("{a: 1}: b\n", 1, "found unhashable key"),
        ("a: 1\nb: " + "9" * 5000, 2, "not a valid int"),
        ("a: -" + "9" * 5000, 1, "not a valid int"),
        ("a: *b\n", 1, "found undefined alias"),
        ("a: 1\nb: &b\n  c: *b\n", 2, "an alias refers to a value that contains it"),
        ("a: &a {<<: *a}\n", 1, "an alias refers to a value that contains it"),
        (BOMB, 7, "after its aliases are expanded"),
        (LONG_BOMB, 3, "after its aliases are expanded"),
        (MERGE_BOMB, 8, "after its aliases are expanded"),
        (CHAIN, 50, "nested more than 50 deep"),
        ("[" * 60 + "]" * 60, 1, "nested more than 50 deep"),
        ("[" * 40_000, 1, ""),
        ("{" * 40_000, 1, ""),
        ("- " * 5_000 + "x", 1, "nested more than 50 deep"),
        ("? " * 5_000 + "x", 1, "nested more than 50 deep"),
        ("a: 1\nb: x\0y\n", 2, "U+0000 is not allowed in YAML"),
        ("a: 1\nb: \x1b[2J\n", 2, "U+001B is not allowed in YAML"),
        ('a: "x\\0y"\n', 1, "a null character"),
        ('a: 1\n"\\ud83d": b\n', 2, "an unpaired surrogate"),
        (b"a: 1\nb: \xe4\n", 2, "not valid UTF-8"),
        ("a: 1\nb: 语".encode("utf-16")[:-1], 2, "not valid UTF-16"),
        ("a: b".encode("utf-32"), 1, "U+0000 is not allowed in YAML"),
        ("%YAML 9.0\n---\na: b\n", 1, "found incompatible YAML document"),
        ("\ta: b\n", 1, "found character"),
        ("a: &" + "x" * 100_000 + " !!nothing y", 1, "could not determine"),
        ("a: !!" + "x" * 100_000 + " y", 1, "could not determine"),
    ],
)
def test_unsupported_yaml_is_refused_with_its_line(content, line, problem):
    content = content if isinstance(content, bytes) else content.encode()
    started = time.process_time()
    with pytest.raises(ConfigError) as raised:
        parse(content, "mine.yaml")
    assert time.process_time() - started < 10
    message = str(raised.value)
    assert message.startswith(f"mine.yaml:{line}: invalid YAML: ")
    assert problem in message
    assert len(message) < 300
    assert printable(message) == message


def test_what_is_too_long_is_not_read_to_its_end(tmp_path):
    with pytest.raises(ConfigError, match=r"^/dev/zero:1: invalid YAML: longer than 10,000,000 bytes"):
        read("/dev/zero", "name a file")
    with pytest.raises(ConfigError, match=r"none\.yaml: No such file or directory; name a file"):
        read(tmp_path / "none.yaml", "name a file")
    with pytest.raises(ConfigError, match="Is a directory; name a file"):
        read(tmp_path, "name a file")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(tmp_path, encoding, end):
    path = tmp_path / "语料.yaml"
    path.write_bytes(f"name: 语料{end}task: NER{end}".encode(encoding))
    assert read(path, "") == {"name": "语料", "task": "NER"}


@given(plain(ANY))
@example({"0E0": "1e5"})
@example(["2020-01-01", "no", "0x1F", "1_000", "a\x85b", "a\u2028b", ".5", "~"])
def test_a_written_file_is_read_back_here_and_by_pyyaml(value):
    assert parse(render(value).encode(), "f") == value
    assert yaml.safe_load(render(value)) == value


@given(plain(PRINTED))
def test_json_is_read_as_yaml(value):
    assert parse(json.dumps(value, ensure_ascii=False).encode(), "f") == value


@given(st.binary() | st.text("[]{}:,-?!&*|>'\"#% \n\t\\~<=a1.eE_+x\u2028\0").map(str.encode))
def test_any_bytes_give_a_value_or_a_one_line_error(content):
    try:
        parse(content, "f")
    except ConfigError as error:
        message = str(error)
        assert message.startswith("f:")
        assert int(message.split(":")[1]) <= content.count(b"\n") + content.count(b"\r") + 2 + content.count(b"\xe2")
        assert len(message) < 300
    else:
        assert len(content) <= yaml_values.MAX_CHARS
