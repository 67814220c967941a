"""The column reader on small files, and its tag decoder against four encoders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, surface
from transforms import files
from transforms.files import File
from transforms.formats.columns import DOCSTART, TAG, Layout, decode, read, split_cells
from transforms.normalize import normalize


def encode_iob2(kind, size):
    return [f"B-{kind}", *[f"I-{kind}"] * (size - 1)]


def encode_iobes(kind, size):
    return [f"S-{kind}"] if size == 1 else [f"B-{kind}", *[f"I-{kind}"] * (size - 2), f"E-{kind}"]


def encode_bmes(kind, size):
    return [tag.replace("I-", "M-", 1) for tag in encode_iobes(kind, size)]


def encode_bilou(kind, size):
    return [tag.replace("S-", "U-", 1).replace("E-", "L-", 1) for tag in encode_iobes(kind, size)]


def encode(entities, length, scheme):
    """The tags of sorted (label, first, last + 1) triples; IOB1 has B only between adjacent entities of one type."""
    tags = ["O"] * length
    for index, (kind, first, end) in enumerate(entities):
        if scheme is None:
            touches = index > 0 and entities[index - 1][0] == kind and entities[index - 1][2] == first
            tags[first:end] = ["B-" + kind if touches else "I-" + kind, *["I-" + kind] * (end - first - 1)]
        else:
            tags[first:end] = scheme(kind, end - first)
    return tags


SCHEMES = [None, encode_iob2, encode_iobes, encode_bmes, encode_bilou]


@st.composite
def tagged(draw):
    """(number of tokens, entities over them); with a gap of 0 two entities are adjacent."""
    pieces = draw(
        st.lists(st.tuples(st.sampled_from(["PER", "B-X", "O", "Loc.Nam"]), st.integers(0, 2), st.integers(1, 4)))
    )
    entities, at = [], 0
    for kind, gap, size in pieces:
        entities.append((kind, at + gap, at + gap + size))
        at += gap + size
    return max(at + draw(st.integers(0, 2)), 1), entities


@pytest.mark.parametrize("scheme", SCHEMES)
@given(sentence=tagged())
def test_decoding_reverses_every_encoding_scheme(scheme, sentence):
    length, entities = sentence
    assert decode(encode(entities, length, scheme)) == entities


@given(st.lists(st.sampled_from([p + "-" + k for p in "BIMESUL" for k in ("A", "B")] + ["O"])))
def test_entities_cover_exactly_the_tagged_tokens(tags):
    entities = decode(tags)
    covered = [i for _, first, end in entities for i in range(first, end)]
    assert covered == [i for i, tag in enumerate(tags) if tag != "O"]
    assert all(tags[i][2:] == kind for kind, first, end in entities for i in range(first, end))


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        ("O I-A I-A O", [("A", 1, 3)]),  # IOB1: I opens after O
        ("I-A I-B", [("A", 0, 1), ("B", 1, 2)]),  # and after another type
        ("I-A B-A I-A", [("A", 0, 1), ("A", 1, 3)]),
        ("B-A I-B", [("A", 0, 1), ("B", 1, 2)]),
        ("M-A E-A", [("A", 0, 2)]),  # an orphan M opens an entity
        ("O E-A I-A", [("A", 1, 2), ("A", 2, 3)]),  # an orphan E is an entity of one token
        ("B-A E-B", [("A", 0, 1), ("B", 1, 2)]),
        ("B-A E-A M-A", [("A", 0, 2), ("A", 2, 3)]),
        ("B-A S-A E-A", [("A", 0, 1), ("A", 1, 2), ("A", 2, 3)]),
        ("S-A I-A", [("A", 0, 1), ("A", 1, 2)]),
        ("B-A M-A", [("A", 0, 2)]),  # never closed
        ("B-A O", [("A", 0, 1)]),
        ("B-A I-A L-A U-A", [("A", 0, 3), ("A", 3, 4)]),
        ("B-PER.NAM I-PER.NAM B-x-y", [("PER.NAM", 0, 2), ("x-y", 2, 3)]),
        ("", []),
    ],
)
def test_decode(tags, entities):
    assert decode(tags.split()) == entities


@pytest.mark.parametrize("tag", ["", "B", "B-", "X-PER", "o", "PER", "-PER", "O-PER", "BPER"])
def test_invalid_tags_are_refused(tag):
    assert not TAG.fullmatch(tag)


LAYOUTS = [
    Layout(2),
    Layout(2, token=-1, tag=0),
    Layout(3, token=1, tag=2, more=True),
    Layout(2, separator="\t"),
    Layout(3, token=0, tag=1, separator="\t", more=True),
]


CELLS = st.sampled_from(["a", "B-X", "", " ", "a b", "\u3000"])


@pytest.mark.parametrize("layout", LAYOUTS)
@given(st.lists(st.lists(CELLS, max_size=4), min_size=1, max_size=4), st.data())
def test_splitting_a_sentence_equals_splitting_its_lines(layout, rows, data):
    separators = [layout.separator] if layout.separator else data.draw(st.sampled_from([" ", "\t", [" ", "\t", "  "]]))
    lines = [data.draw(st.sampled_from(list(separators))).join(row) for row in rows]
    fields = [layout.fields(line) for line in lines]
    wrong = any(len(row) < layout.columns or (len(row) > layout.columns and not layout.more) for row in fields)
    expected = None if wrong else ([row[layout.token] for row in fields], [row[layout.tag] for row in fields])
    assert split_cells(lines, layout) == expected


def read_bytes(tmp_path, data: bytes, **options):
    path = tmp_path / "eng.train"
    path.write_bytes(data)
    return list(read([File(str(path), "sub/eng.train")], **options))


CONLL = {"columns": 4}
BMES = {"columns": 2, "joiner": ""}
TWO = (
    "-DOCSTART- -X- -X- O\n\nMia NNP I-NP I-PER\nBerg NNP I-NP I-PER\nOslo NNP I-NP I-LOC\n. . O O\n\n\nYes UH O O\n\n"
)
TWO_READ = [
    RawExample(
        "sub/eng.train:3",
        "Mia Berg Oslo .",
        (Entity("PER", Mention("Mia Berg", ((0, 8),))), Entity("LOC", Mention("Oslo", ((9, 13),)))),
    ),
    RawExample("sub/eng.train:9", "Yes", ()),
]


@pytest.mark.parametrize(
    "data",
    [
        TWO.encode(),
        TWO.rstrip().encode(),  # no last newline
        (TWO + "\n \n\n").encode(),  # no empty sentence at the end
        TWO.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + TWO.encode(),
        b"\xef\xbb\xbf" + TWO.replace("\n", "\r\n").encode(),
        TWO.replace("\n\n", "\n \t\n").encode(),  # blank lines made of blanks
        TWO.replace(" ", "\t").encode(),
        TWO.replace(" ", "  \t ").encode(),
        TWO.replace("O\n", "O \n").encode(),
    ],
)
def test_line_ends_and_blanks_do_not_change_the_sentences(tmp_path, data):
    assert read_bytes(tmp_path, data, **CONLL) == TWO_READ


@pytest.mark.parametrize("size", [1, 7, 24, 61])
def test_block_borders_do_not_change_the_sentences(tmp_path, monkeypatch, size):
    monkeypatch.setattr(files, "BLOCK_BYTES", size)
    assert read_bytes(tmp_path, TWO.encode(), **CONLL) == TWO_READ


def test_docstart_ends_a_sentence_without_a_blank_line(tmp_path):
    data = b"a O\n-DOCSTART- O\nb B-X\n-DOCSTART- O\n-DOCSTART- O\n"
    assert read_bytes(tmp_path, data, columns=2) == [
        RawExample("sub/eng.train:1", "a", ()),
        RawExample("sub/eng.train:3", "b", (Entity("X", Mention("b", ((0, 1),))),)),
    ]
    data = b"-DOCSTART-\tO\n\na\tO\n-DOCSTART-\tO\nx-DOCSTART-\tO\n"
    texts = [example.text for example in read_bytes(tmp_path, data, columns=2, separator="\t")]
    assert texts == ["a", "x-DOCSTART-"]


def test_characters_are_joined_without_blanks(tmp_path):
    data = "𠮷 B-NAME\n野 E-NAME\n任 O\n3 O\n🚄 O\nA B-ORG\nB M-ORG\n司 E-ORG\n".encode()
    assert read_bytes(tmp_path, data, **BMES) == [
        RawExample(
            "sub/eng.train:1",
            "𠮷野任3🚄AB司",
            (Entity("NAME", Mention("𠮷野", ((0, 2),))), Entity("ORG", Mention("AB司", ((5, 8),)))),
        )
    ]


def test_tag_first(tmp_path):
    data = b"O\tfilms\r\nB-Plot\tww\r\nI-Plot\t2\r\n\r\n"
    assert read_bytes(tmp_path, data, columns=2, token=1, tag=0) == [
        RawExample("sub/eng.train:1", "films ww 2", (Entity("Plot", Mention("ww 2", ((6, 10),))),))
    ]


def test_other_blanks_stay_in_the_token_with_a_given_separator(tmp_path):
    options = {"columns": 2, "separator": "\t"}
    assert read_bytes(tmp_path, b"New York\tB-L\n \tO\nx\tO\n", **options) == [
        RawExample("sub/eng.train:1", "New York   x", (Entity("L", Mention("New York", ((0, 8),))),))
    ]
    assert read_bytes(tmp_path, b"New York B-L\n", **options) == [
        BadRecord("sub/eng.train:1", Reason.WRONG_COLUMNS, "1 columns, not 2, in 'New York B-L'")
    ]
    (empty,) = read_bytes(tmp_path, b"a\tO\n\tO\n", **options)
    assert (empty.place, empty.reason) == ("sub/eng.train:2", Reason.MISSING_FIELD)


@pytest.mark.parametrize("blank", ["\u3000", "\u00a0", "\u2028", "\x85", "\x1c"])
def test_unicode_blanks_do_not_separate_columns_or_lines(tmp_path, blank):
    data = f"{blank} O\na{blank}b B-X\n".encode()
    (example,) = read_bytes(tmp_path, data, columns=2)
    assert example.text == f"{blank} a{blank}b"
    assert example.entities == (Entity("X", Mention(f"a{blank}b", ((2, 5),))),)


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        ("two NN O", Reason.WRONG_COLUMNS, "3 columns, not 4, in 'two NN O'"),
        ("two NN I-NP O O", Reason.WRONG_COLUMNS, "5 columns, not 4, in 'two NN I-NP O O'"),
        ("two", Reason.WRONG_COLUMNS, "1 columns, not 4, in 'two'"),
        ("two NN I-NP B-", Reason.BROKEN_RECORD, "'B-' is not a tag such as O, B-X or E-X"),
        ("two NN I-NP PER", Reason.BROKEN_RECORD, "'PER' is not a tag such as O, B-X or E-X"),
    ],
)
def test_only_the_sentence_with_a_bad_line_is_lost(tmp_path, line, reason, detail):
    before, after = "a NN O O\n\n", "three NN O O\nfour O\n\nb NN O O\n"
    assert read_bytes(tmp_path, f"{before}one NN O O\n{line}\n{after}".encode(), **CONLL) == [
        RawExample("sub/eng.train:1", "a", ()),
        BadRecord("sub/eng.train:4", reason, detail),
        RawExample("sub/eng.train:8", "b", ()),
    ]


def test_tags_without_words_are_not_sentences(tmp_path):
    (bad,) = read_bytes(tmp_path, b"NNP I-NP I-ORG\nVBZ I-VP O\n", **CONLL)
    assert (bad.place, bad.reason) == ("sub/eng.train:1", Reason.WRONG_COLUMNS)


def test_only_the_sentence_with_invalid_utf_8_is_lost(tmp_path):
    data = b"caf\xe9 NN O B-X\n\nb NN O O\n"
    records = [normalize(record, {}, {}, {}, {}) for record in read_bytes(tmp_path, data, **CONLL)]
    assert records == [
        BadRecord("sub/eng.train:1", Reason.NOT_UTF8, "byte 0xe9 at character 3 is not UTF-8; re-encode the file"),
        RawExample("sub/eng.train:3", "b", ()),
    ]


TAGS_LAST = "a O\nb B-X\n\nO O\nc B-X\n"
TAGS_FIRST = "O a\nB-X b\n\nO O\nB-X c\n"


@pytest.mark.parametrize(
    "data",
    [
        TAGS_LAST,
        TAGS_FIRST,
        TAGS_FIRST.replace("\n", "\r\n").replace(" ", "\t"),
        "O O\n\n" + TAGS_FIRST,  # a line that does not decide
        "O O\n\n" + TAGS_LAST,
        "O\n\n" + TAGS_FIRST,
    ],
)
def test_the_tag_column_is_detected_per_file(tmp_path, data):
    records = read_bytes(tmp_path, data.encode(), columns=2, tag=None)[-2:]
    assert [(example.text, example.entities) for example in records] == [
        ("a b", (Entity("X", Mention("b", ((2, 3),))),)),
        ("O c", (Entity("X", Mention("c", ((2, 3),))),)),
    ]


def test_the_tag_column_is_last_if_no_line_decides(tmp_path):
    (example,) = read_bytes(tmp_path, b"O O\n", columns=2, tag=None)
    assert example.text == "O"
    assert read_bytes(tmp_path, b"", columns=2, tag=None) == []


def test_additional_columns_are_ignored(tmp_path):
    data = b'0\tAna\tB-X\tbn:1\t\n1\t"\tO\n\n0\ta\n'
    good, bad = read_bytes(tmp_path, data, columns=3, token=1, tag=2, separator="\t", more=True)
    assert good == RawExample("sub/eng.train:1", 'Ana "', (Entity("X", Mention("Ana", ((0, 3),))),))
    assert (bad.place, bad.reason) == ("sub/eng.train:4", Reason.WRONG_COLUMNS)


def test_respelt_tokens_shift_the_spans(tmp_path):
    def respell(tokens):
        return [None if token == "?" else token.rstrip("0123456789") for token in tokens]

    data = b"aa0 O\nb10 B-X\nc0 I-X\n\nd O\n? O\n"
    good, bad = read_bytes(tmp_path, data, joiner="", respell=respell, columns=2)
    assert good == RawExample("sub/eng.train:1", "aabc", (Entity("X", Mention("bc", ((2, 4),))),))
    assert bad == BadRecord("sub/eng.train:6", Reason.BROKEN_RECORD, "'?' is not a token of this format")


def test_files_are_read_in_order_and_separately(tmp_path):
    (tmp_path / "1").write_bytes(b"a B-X")
    (tmp_path / "2").write_bytes(b"b I-X")
    (tmp_path / "3").write_bytes(b"")
    files = [File(str(tmp_path / name), name) for name in "123"]
    assert [(example.place, example.text) for example in read(files, columns=2)] == [("1:1", "a"), ("2:1", "b")]


WORDS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters=" \t\r\n"), min_size=1).filter(
    lambda word: word.strip() and not word.startswith(("\ufeff", DOCSTART))
)


@pytest.mark.parametrize("joiner", [" ", ""])
@given(
    sentences=st.lists(
        tagged().flatmap(lambda tags: st.tuples(st.lists(WORDS, min_size=tags[0], max_size=tags[0]), st.just(tags[1]))),
        max_size=3,
    ),
    scheme=st.sampled_from(SCHEMES),
)
def test_random_sentences_are_read_back(tmp_path_factory, sentences, scheme, joiner):
    lines = [
        "\n".join(f"{word}\t{tag}" for word, tag in zip(words, encode(entities, len(words), scheme), strict=True))
        for words, entities in sentences
    ]
    data = "\n\n".join(lines).encode()
    examples = read_bytes(tmp_path_factory.mktemp("columns"), data, columns=2, joiner=joiner)
    assert [example.text for example in examples] == [joiner.join(words) for words, _ in sentences]
    for example, (words, entities) in zip(examples, sentences, strict=True):
        assert [(entity.label, entity.mention.text) for entity in example.entities] == [
            (kind, joiner.join(words[first:end])) for kind, first, end in entities
        ]
        assert all(surface(example.text, entity.mention.spans) == entity.mention.text for entity in example.entities)


TOKENS = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n\ufeff"), min_size=1)
    .map(lambda token: token.strip(" ") or " ")
    .filter(lambda token: not token.startswith(DOCSTART))
)


@given(words=st.lists(TOKENS, min_size=1, max_size=5), first=st.booleans(), joiner=st.sampled_from(["", " "]))
def test_a_tab_separates_the_columns_if_there_is_one(tmp_path_factory, words, first, joiner):
    """A token may then be a blank or contain blanks."""
    tags = ["B-X" if index else "O" for index in range(len(words))]
    rows = ["\t".join(reversed(pair) if first else pair) for pair in zip(words, tags, strict=True)]
    layout = {"columns": 2, "token": -1 if first else 0, "tag": 0 if first else -1, "joiner": joiner}
    [example] = read_bytes(tmp_path_factory.getbasetemp(), "\n".join(rows).encode(), **layout)
    assert example.text == joiner.join(words)
    assert [entity.mention.text for entity in example.entities] == [word.strip(" ") for word in words[1:]]
    assert all(example.text[slice(*e.mention.spans[0])] == e.mention.text for e in example.entities)


@pytest.mark.parametrize(
    ("lines", "text", "mentions"),
    [
        ("住 O\n  O\n在 O\n海 B-L\n口 I-L", "住 在海口", ["海口"]),  # blanks as the separator, and as a token
        ("住\tO\n \tO\n在\tO\n海\tB-L\n口\tI-L", "住 在海口", ["海口"]),
        ("海 B-L\n  I-L\n口 I-L\n  I-L", "海 口 ", ["海 口"]),
        ("海 O\n  B-L\n口 I-L", "海 口", ["口"]),
        ("海 O\n 口  B-L", "海口", ["口"]),  # indented
        ("New Ulm\tB-L\nis O", "New Ulmis", ["New Ulm"]),
    ],
)
def test_a_token_may_be_a_blank(tmp_path, lines, text, mentions):
    [example] = read_bytes(tmp_path, lines.encode(), columns=2, joiner="")
    assert (example.text, [entity.mention.text for entity in example.entities]) == (text, mentions)
