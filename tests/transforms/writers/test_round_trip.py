"""Random Examples are exported and read back by the readers of users' data: the same annotations."""

import dataclasses
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipelines import exporting
from pipelines.sources.user_forms import FORMS as USER_FORMS
from pipelines.sources.user_forms import recognise
from schemas.errors import BadRecord
from schemas.example import Entity, Example, Mention, RawExample
from tests.strategies import CLEAN, examples, texts
from transforms.clean import repair
from transforms.files import list_files
from transforms.respelling import respelled
from transforms.writers import fit
from transforms.writers.forms import FORMS, Context

LABELS = {
    "drug": st.sampled_from(["drug", "date of birth", "A&B <c>'\"", "Arg0", "a_b", "a b", "B-drug", "drug,x|y:z"]),
    "disease": st.sampled_from(["disease", "Ort/Straße", "机构", "a-b", "x" * 300]),
    "agent": st.sampled_from(["agent", "Arg0", "time of day", "from:to"]),
}
"""Label of the strategies → the labels that stand for it."""

WITHOUT_BLANKS = {"conll"}
"""Formats that do not say which blanks stand between words."""

STRINGS = {"gliner2"}
"""Formats whose mentions are strings."""


@st.composite
def corpora(draw) -> list[Example]:
    """One to three Examples with different ids and with labels of any spelling."""
    names = {label: draw(others) for label, others in LABELS.items()}
    drawn = map(repair, draw(st.lists(examples(texts(CLEAN)), min_size=1, max_size=3)))
    return [
        replace(respelled(item, lambda label: names.get(label, label)), id=f"made/train/{number}", unknown_labels=())
        for number, item in enumerate(drawn)
    ]


def annotations(example: Example | RawExample, form: str) -> tuple:
    """What an Example says, without ids and order, as far as the format carries it."""
    text = example.text

    def place(mention: Mention | None) -> tuple | None:
        if mention is None:
            return None
        if form in STRINGS:
            return (mention.text,)
        spans = mention.spans
        if form in WITHOUT_BLANKS or form in ("gliner", "spacy"):  # whole words
            spans = tuple((blind(text, start), blind(text, end)) for start, end in spans)
        return spans

    entities = Counter((item.label, place(item.mention)) for item in example.entities or ())
    relations = Counter(
        (item.label, place(item.head), place(item.tail), item.head_label, item.tail_label)
        for item in example.relations or ()
    )
    events = Counter(
        (item.label, place(item.trigger), tuple((a.role, place(a.mention)) for a in item.arguments))
        for item in example.events or ()
    )
    concepts = Counter((place(item.mention), item.concepts) for item in example.entities or () if item.concepts)
    if form in STRINGS:
        entities, relations = Counter(set(entities)), Counter(set(relations))
    return "".join(text.split()) if form in WITHOUT_BLANKS else text, entities, relations, events, concepts


def blind(text: str, at: int) -> int:
    """The offset `at` in characters that are not blank."""
    return len("".join(text[:at].split()))


def written(form: str, corpus: list[Example], folder: Path) -> exporting.Exported:
    context = Context(any(example.relations for example in corpus))
    exported = exporting.annotated(form, {"train": [("made", example) for example in corpus]}, context)
    exporting.write(exported, str(folder / "out"))
    return exported


def read_back(form: str, folder: Path) -> list[RawExample]:
    """The records in the only format that the exported files are recognised as."""
    files = [file for file in list_files(str(folder)) if file.name.startswith(("train", "visual.conf"))]
    (reader,) = [reader for reader in USER_FORMS if reader.name == form]
    for file in files:
        if file.name.endswith(reader.suffixes):
            assert [other.name for other in recognise(file)][:1] == [form]
    records = list(reader.read(files))
    assert not [record for record in records if isinstance(record, BadRecord)], records
    assert not [record.lost for record in records if record.lost]
    return records


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=30, deadline=None)
@given(corpus=corpora())
def test_an_export_is_read_back_with_the_same_annotations(form, corpus):
    labels, counts = fit.Labels(), Counter()
    capacity = FORMS[form].capacity
    if form == "brat":  # its labels are read from visual.conf
        capacity = dataclasses.replace(capacity, respell=None)
    expected = [fit.fit(example, capacity, labels, counts) for example in corpus]
    if FORMS[form].needs_entities:
        expected = [example for example in expected if example.entities is not None]
    if form == "gliner2":
        expected = [example for example in expected if example.entities or example.relations]
    if not expected:
        return
    with tempfile.TemporaryDirectory() as folder:
        written(form, corpus, Path(folder))
        records = read_back(form, Path(folder) / "out")
    assert [annotations(record, form) for record in records] == [annotations(item, form) for item in expected]


@pytest.mark.parametrize("form", ["spacy", "brat", "doccano", "label_studio", "gliner"])
def test_labels_that_differ_in_blanks_only_are_kept_apart(form, tmp_path):
    text = "Ada met Bo in Rye today, Monday."
    strings = {"Ada": "  sp", "Bo": "sp ", "Rye": "s\np", "today": "s  p", "Monday": "s%20p", "met": "s p"}
    entities = tuple(
        Entity(label, Mention(string, ((text.index(string), text.index(string) + len(string)),)))
        for string, label in strings.items()
    )
    written(form, [Example("made/train/0", "made", "train", "en", text, ("NER",), entities, None, None)], tmp_path)
    (record,) = read_back(form, tmp_path / "out")
    assert {entity.mention.text: entity.label for entity in record.entities} == strings
