"""Properties of every source, on its sample: files are recognized, and no record is lost, invented or garbled."""

import os
import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

import pipelines.sources
from pipelines.sources import Licence, folder, load
from pipelines.sources import __main__ as sources_command
from pipelines.sources.source_files import SourceFiles, find
from pipelines.stages.labels import label_set
from schemas.arrow import examples_to_table, rejects_to_table
from schemas.errors import BadRecord, Reason, Reject, SourceError
from schemas.example import LAYER, SPLITS, TASKS, Entity, Event, Example, RawExample, Relation, mentions, surface
from transforms.files import list_files
from transforms.normalize import normalize

SAMPLES = Path(pipelines.sources.__file__).parent.parent / "samples"
KEYS = pipelines.sources.keys()
every_source = pytest.mark.parametrize("key", KEYS)

RAW_CODE = re.compile(r"^[BIMESLU]-|^/|^\w+/\w+/|\(e[12],|_")
"""A tag, a Freebase path, a direction or an identifier: spellings in files that must not occur in prompts."""
HAN = re.compile("[\u4e00-\u9fff]")
CUTS = 9
NOT_SEEN = {"ace2005", "boson", "findvehicle", "multinerd", "ontonotes", "ske2020"}
"""Modules that were written from a description of the format, without access to the real files."""
LABELS = {"entities": "entity_labels", "relations": "relation_labels", "events": "event_labels"}
"""Layer → the attribute with its labels."""

Record = RawExample | BadRecord


def find_sample(key: str, path: Path | None = None) -> SourceFiles:
    """The files of the sample below `path` (None: the bundled one, which the cuts of a dataset share)."""
    path = path or SAMPLES / folder(key)
    source_files = find(load(key), list_files(str(path)))
    assert source_files is not None, f"{path} contains no file of {key}; write a sample of at least 20 records"
    return source_files


def read(key: str, source_files: SourceFiles) -> dict[str, list[Record]]:
    """The normalized records of each split."""
    source = load(key)
    maps = source.entity_labels, source.relation_labels, source.event_labels, source.role_names
    return {
        split: [r if isinstance(r, BadRecord) else normalize(r, *maps) for r in source_files.form.read(files)]
        for split, files in source_files.splits.items()
    }


@cache
def sample(key: str) -> dict[str, list[Record]]:
    return read(key, find_sample(key))


def examples(records: list[Record]) -> list[RawExample]:
    return [record for record in records if isinstance(record, RawExample)]


def bad_records(records: list[Record]) -> list[BadRecord]:
    return [record for record in records if isinstance(record, BadRecord)]


def all_records(splits: dict[str, list[Record]]) -> list[Record]:
    return [record for records in splits.values() for record in records]


def file_of(record: Record) -> str:
    return record.place.rpartition(":")[0]


def line_of(record: Record) -> int:
    return int(record.place.rpartition(":")[2])


def identity(record: Record) -> tuple[str, str]:
    return record.place, record.text if isinstance(record, RawExample) else record.reason


def read_changed(key: str, path: Path, change) -> dict[str, list[Record]]:
    """The records of a copy of the sample in `path`, with `change` (bytes → bytes) applied to each file."""
    shutil.copytree(SAMPLES / folder(key), path)
    for file in list_files(str(path)):
        Path(file.path).write_bytes(change(file.read()))
    return read(key, find_sample(key, path))


@every_source
def test_metadata_is_complete(key):
    source = load(key)
    assert source.name and source.title and source.domain and source.licence_text
    assert source.lang in ("en", "zh")
    assert isinstance(source.licence, Licence)
    assert re.fullmatch(r"https?://\S+", source.homepage)
    assert f"{folder(key)}/" in source.get, "`get` must name the folder of the source"
    assert source.real_files_seen == (folder(key) not in NOT_SEEN)
    assert re.fullmatch(r"[A-Za-z][\w:.-]+", source.citation)
    assert source.tasks and len(set(source.tasks)) == len(source.tasks) and set(source.tasks) <= set(TASKS)
    for task in source.tasks:
        assert any(getattr(source, LABELS[LAYER[task]]).values()), f"no label for {task}"


@every_source
def test_labels_are_words_with_a_description(key):
    source = load(key)
    for name in LABELS.values():
        labels = {label for label in getattr(source, name).values() if label is not None}
        assert len({label.name for label in labels}) == len(labels), "two labels have the same name"
        for label in labels:
            assert label.name.strip() == label.name != ""
            assert not RAW_CODE.search(label.name), label.name
            assert len(set(label.role_names)) == len(label.role_names)
            assert not any(RAW_CODE.search(role) for role in label.role_names), label.role_names
            assert re.fullmatch(r"\S.{3,150}", label.description), f"{label.name}: {label.description!r}"
            assert bool(HAN.search(label.description)) == (source.lang == "zh"), label.description
    typed = [label.name for label in source.typed_labels]
    assert len(set(typed)) == len(typed)


@every_source
def test_every_label_and_role_of_a_label_set_is_described_in_the_language_of_its_source(key):
    source = load(key)
    triples = {
        (relation.head_label, relation.label, relation.tail_label)
        for example in examples(all_records(sample(key)))
        for relation in example.relations or ()
        if relation.head_label and relation.tail_label
    }
    for task in source.tasks:
        labels = label_set(key, source, task, [(triple, "train", 1) for triple in triples if task == "SPO"], False)
        assert labels.labels
        parts = {label.name: labels.description(label) for label in labels.labels}
        parts |= {f"{label.name}/{role.name}": role.description for label in labels.labels for role in label.roles}
        for name, description in parts.items():
            assert re.fullmatch(r"\S.{3,150}", description), f"{name}: {description!r}"
            assert bool(HAN.search(description)) == (source.lang == "zh"), f"{name}: {description!r}"
            assert description not in (name, name.rpartition("/")[2]), f"{name}: the description is the name"
            assert not description.endswith((".", "。")), f"{name}: {description!r}"


def test_roles_with_closed_values():
    with_values = {
        (key, label.name, role.name): role.values
        for key in KEYS
        for label in load(key).event_labels.values()
        if label
        for role in label.roles
        if role.values
    }
    assert with_values == {("duee_fin", "公司上市", "环节"): ("筹备上市", "暂停上市", "正式上市", "终止上市")}


@every_source
def test_a_sample_has_enough_records_and_splits(key):
    source_files = find_sample(key)
    splits = sample(key)
    if load(key).held_out:
        assert set(splits) == {"test"}, "a held-out source has only test data"
    else:
        assert set(splits) == {"all"} or {"train", "test"} <= set(splits) <= set(SPLITS)
    assert source_files.unassigned == []
    cuts = [sample(other) for other in KEYS if folder(other) == folder(key)]  # of one dataset with one sample
    assert sum(len(examples(all_records(cut))) for cut in cuts) >= 20
    assert 1 <= len({record.place for cut in cuts for record in bad_records(all_records(cut))}) <= len(cuts)
    for split, records in splits.items():
        names = {file.name for file in source_files.splits[split]}
        assert examples(records)
        for record in records:
            assert file_of(record) in names and line_of(record) >= 1, f"{record.place} is not file:line"
    if "train" in splits:
        texts = [[{example.text for example in examples(cut[split])} for split in ("train", "test")] for cut in cuts]
        assert any(train & test for train, test in texts), "no text occurs in both train and test"


@every_source
def test_annotations_are_consistent(key):
    source = load(key)
    read_examples = examples(all_records(sample(key)))
    for task in source.tasks:
        assert any(getattr(example, LAYER[task]) for example in read_examples), f"no example is annotated for {task}"
    entities, relations, events = (
        {label.name: label for label in getattr(source, labels).values() if label} for labels in LABELS.values()
    )
    for example in read_examples:
        for mention in mentions(example):
            assert not mention.spans or surface(example.text, mention.spans) == mention.text
            assert all(0 <= start < end <= len(example.text) for start, end in mention.spans)
            assert list(mention.spans) == sorted(mention.spans)
        assert {entity.label for entity in example.entities or ()} <= set(entities)
        for relation in example.relations or ():
            assert relation.label in relations
            assert {relation.head_label, relation.tail_label} <= {None, *entities}
        for event in example.events or ():
            assert {argument.role for argument in event.arguments} <= set(events[event.label].role_names)


def unix_lines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def utf_16(data: bytes) -> bytes:
    """Encodes as UTF-16 with a byte order mark, as Windows programs do, except for XML, which declares its encoding."""
    return data if data.lstrip().startswith(b"<") else data.decode().encode("utf-16")


REWRITES = {
    "utf_16": utf_16,
    "lf": unix_lines,
    "crlf": lambda data: unix_lines(data).replace(b"\n", b"\r\n"),
    "bom": lambda data: b"\xef\xbb\xbf" + data,
    "no_last_newline": lambda data: data.rstrip(b"\r\n"),
}


@every_source
@pytest.mark.parametrize("rewrite", REWRITES)
def test_line_breaks_and_byte_order_marks_do_not_matter(key, rewrite, tmp_path):
    before = sample(key)

    def content(record: Record):
        if isinstance(record, BadRecord):
            return record.place, record.reason
        text = record.text.rstrip("\n")  # the text of a document ends with its file
        return record.place, text, record.entities, record.relations, record.events

    after = read_changed(key, tmp_path / key, REWRITES[rewrite])
    assert {split: [content(record) for record in records] for split, records in after.items()} == {
        split: [content(record) for record in records] for split, records in before.items()
    }


HUGE = b"7" * 5000
"""More digits than Python converts to int."""

DEEP = b"[" * 9000 + b"]" * 9000

DAMAGES = {
    "huge numbers": lambda data: re.sub(rb"[0-9]+", HUGE, data),
    "a huge number": lambda data: re.sub(rb"[0-9]+", HUGE, data, count=1),
    "not UTF-8 in a line": lambda data: re.sub(rb"(?m)^(.)", b"\\1\xe9", data),
    "not UTF-8 before a line break": lambda data: re.sub(rb"(?m)(.)$", b"\xe9\\1", data),
    "not UTF-8 in a key": lambda data: re.sub(rb'("\w+)(" ?:)', b"\\1\xe9\\2", data),
    "not UTF-8 anywhere": lambda data: data.replace(b"a", b"a\xff").replace("的".encode(), b"\xe7\x9a"),
    "a value nested too deeply": lambda data: data.replace(b": ", b": " + DEEP + b", ", 3).replace(b'"', DEEP, 1),
    "every value nested too deeply": lambda data: re.sub(rb":( ?)(?=[\[{\"])", rb":\1" + DEEP[5000:13000], data),
    "the mark of UTF-16": lambda data: b"\xff\xfe" + data,
    "UTF-16 without its mark": lambda data: data.decode().encode("utf-16-le"),
    "control characters": lambda data: re.sub(rb"(?m)^(..)", b"\\1\x00\x1b[2J\r\x0c", data),
    "other separators": lambda data: data.replace(b"\t", b"|").replace(b" ", b"\t"),
    "character references": lambda data: data.replace(b" ", b" &#" + HUGE + b"; ", 9),
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("key", [*{folder(key): key for key in KEYS}.values()])  # cuts of one dataset share a reader
def test_damaged_files_give_rejects_or_a_source_error(key, tmp_path):
    for damage, change in DAMAGES.items():
        try:
            records = all_records(read_changed(key, tmp_path / damage, change))
        except SourceError as error:
            assert any(file.name in str(error) for file in list_files(str(SAMPLES / folder(key))))
            continue
        bad = [lost for record in records for lost in getattr(record, "lost", (record,))]
        rejects_to_table([Reject("ingest", key, "train", "", b.place, b.reason, b.detail) for b in bad])
        assert all("\n" not in b.place for b in bad)
        rows = [
            Example(f"{key}/{n}", key, "train", "en", r.text, (), r.entities, r.relations, r.events)
            for n, r in enumerate(examples(records))
        ]
        assert examples_to_table(rows).num_rows == len(rows)


@every_source
def test_a_truncated_file_loses_only_records_at_its_end(key, tmp_path):
    before = sample(key)
    path = tmp_path / key
    shutil.copytree(SAMPLES / folder(key), path)
    source_files = find_sample(key, path)
    for split, files in source_files.splits.items():
        for file in files[:4]:
            data = file.read()
            for cut in {len(data) * part // CUTS for part in range(CUTS)}:
                Path(file.path).write_bytes(data[:cut])
                try:
                    after = read(key, SourceFiles(source_files.form, {split: files}, [], []))[split]
                except SourceError as error:
                    assert file.name in str(error)
                else:
                    assert_only_the_end_is_lost(before[split], after, file.name)
            Path(file.path).write_bytes(data)


def assert_only_the_end_is_lost(before: list[Record], after: list[Record], cut: str) -> None:
    """Asserts that `after` is `before` without the last records of the file `cut`; the first of them may be truncated.

    If annotations are in a separate file, one record of another file may be lost with the truncated line, and the
    annotations of a truncated text and of later texts are bad records.
    """

    def stem(name: str) -> str:
        return os.path.splitext(name.removesuffix(".xml"))[0]  # one document: X.ann and X.txt, X.apf.xml and X.sgm

    kept = {identity(record) for record in after}
    lost = sorted((record for record in before if identity(record) not in kept), key=line_of)
    file_records = sorted((record for record in before if stem(file_of(record)) == stem(cut)), key=line_of)
    lost_here = [record for record in lost if record in file_records]
    assert lost_here == file_records[len(file_records) - len(lost_here) :]
    assert len(examples([record for record in lost if record not in file_records])) <= 1

    known = {identity(record): record for record in before}
    new = [record for record in after if identity(record) not in known]
    bad_here = [record for record in bad_records(new) if stem(file_of(record)) == stem(cut)]
    assert len(bad_here) <= 1
    assert len(bad_records(new)) - len(bad_here) <= 2
    assert len(examples(new)) <= len(lost)
    for example in examples(new):  # truncated; the valid beginning of a bad record may be read
        assert any(isinstance(whole, BadRecord) or whole.text.startswith(example.text) for whole in lost), example
    for example in examples(after):
        whole = known.get(identity(example), example)
        for layer in LABELS:
            after_cut, before_cut = (map(without_concepts, getattr(one, layer) or ()) for one in (example, whole))
            assert set(after_cut) <= set(before_cut)


def without_concepts(item: Entity | Relation | Event) -> Entity | Relation | Event:
    """In some formats a concept is the end of a line, so a truncated file may contain a part of it."""
    return replace(item, concepts=()) if isinstance(item, Entity) else item


@every_source
def test_another_encoding_is_rejected_and_not_garbled(key, tmp_path):
    """Chinese files are encoded as GB 18030; in English files, a word of the first example gets a Latin-1 é."""
    before = all_records(sample(key))
    if load(key).lang == "zh":

        def change(data: bytes) -> bytes:
            return data.decode("utf-8", "surrogateescape").encode("gb18030", "surrogateescape")

        affected = {example.place for example in examples(before) if not example.text.isascii()}
    else:
        word = max(re.findall("[A-Za-z]+", examples(before)[0].text), key=len)
        middle = len(word) // 2

        def change(data: bytes) -> bytes:
            return data.replace(word.encode(), word[:middle].encode() + b"\xe9" + word[middle + 1 :].encode())

        affected = {example.place for example in examples(before) if word in example.text}
    try:
        after = all_records(read_changed(key, tmp_path / key, change))
    except SourceError as error:
        assert any(file.name in str(error) for file in list_files(str(SAMPLES / folder(key))))
    else:
        assert examples(after) == [example for example in examples(before) if example.place not in affected]
        assert len([record for record in bad_records(after) if record.reason == Reason.NOT_UTF8]) >= len(affected) > 0


def test_sources_with_files_come_first(tmp_path, capsys):
    (tmp_path / "zeppelins").mkdir()
    (tmp_path / "zeppelins/a.jsonl").write_text('{"text": "Ada left.", "label": [[0, 3, "person"]]}\n')
    assert sources_command.main(["--data_root", str(tmp_path)]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("zeppelins\t") and "\tmissing\t" in f"{second}\t"
