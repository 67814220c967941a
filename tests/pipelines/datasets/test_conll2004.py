"""The forms of CoNLL04: the sentences with splits are preferred to the corpus file."""

import json

from pipelines.sources.datasets.conll2004 import SOURCE
from pipelines.sources.source_files import find
from schemas.example import RawExample
from transforms.files import list_files
from transforms.normalize import normalize

SENTENCE = {
    "tokens": ["Ada", "Poe", "left", "Rye"],
    "entities": [{"type": "Peop", "start": 0, "end": 2}, {"type": "Loc", "start": 3, "end": 4}],
    "relations": [{"type": "Live_In", "head": 0, "tail": 1}],
}
CORPUS = (
    "0\tPeop\t0\tO\tNNP/NNP\tAda/Poe\tO\tO\tO\n0\tO\t1\tO\tVBD\tleft\tO\tO\tO\n0\tLoc\t2\tO\tNNP\tRye\tO\tO\tO\n\n"
    "0\t2\tLive_In\n\n"
)


def examples(source_files, split: str) -> list[RawExample]:
    maps = SOURCE.entity_labels, SOURCE.relation_labels, {}, {}
    return [normalize(record, *maps) for record in source_files.form.read(source_files.splits[split])]


def test_json_with_splits_is_read_and_the_corpus_file_ignored(tmp_path):
    for name in ("train", "dev", "test", "train_dev"):
        (tmp_path / f"conll04_{name}.json").write_text(json.dumps([SENTENCE]))
    (tmp_path / "conll04_types.json").write_text("{}")
    (tmp_path / "conll04.corp").write_text(CORPUS)
    source_files = find(SOURCE, list_files(str(tmp_path)))
    assert {split: [file.name for file in files] for split, files in source_files.splits.items()} == {
        "train": ["conll04_train.json"],
        "validation": ["conll04_dev.json"],
        "test": ["conll04_test.json"],
    }
    assert [file.name for file in source_files.ignored] == ["conll04.corp"]
    assert source_files.unassigned == []


def test_both_forms_have_the_same_annotations(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "conll04_test.json").write_text(json.dumps([SENTENCE]))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "conll04.corp").write_text(CORPUS)
    (json_example,) = examples(find(SOURCE, list_files(str(tmp_path / "a"))), "test")
    (corpus_example,) = examples(find(SOURCE, list_files(str(tmp_path / "b"))), "all")
    assert json_example.text == corpus_example.text == "Ada Poe left Rye"
    assert json_example.entities == corpus_example.entities
    assert json_example.relations == corpus_example.relations
    (relation,) = json_example.relations
    typed = f"{relation.head_label}_{relation.label}_{relation.tail_label}"
    assert typed == "people_live in_location"
    assert typed in {label.name for label in SOURCE.typed_labels}
