"""The files of SemEval-2010 task 8 that are read, and the label `Other`."""

from pipelines.sources.datasets.semeval_re import SOURCE
from pipelines.sources.source_files import find
from transforms.files import File
from transforms.normalize import normalize

NAMES = [
    "SEMEVAL_TASK8_FULL_RELEASE_README.txt",
    "SemEval2010_task8_testing/TEST_FILE.txt",
    "SemEval2010_task8_testing/TEST_FILE_CLEAN.TXT",
    "SemEval2010_task8_testing_keys/TEST_FILE_FULL.TXT",
    "SemEval2010_task8_testing_keys/TEST_FILE_KEY.TXT",
    "SemEval2010_task8_training/README.txt",
    "SemEval2010_task8_training/TRAIN_FILE.TXT",
]


def test_only_the_files_with_directed_relations_are_read():
    source_files = find(SOURCE, [File(f"/x/{name}", name) for name in NAMES])
    assert {split: [file.name for file in files] for split, files in source_files.splits.items()} == {
        "train": ["SemEval2010_task8_training/TRAIN_FILE.TXT"],
        "test": ["SemEval2010_task8_testing_keys/TEST_FILE_FULL.TXT"],
    }
    assert source_files.unassigned == []


def test_other_is_not_a_relation(tmp_path):
    path = tmp_path / "TRAIN_FILE.TXT"
    path.write_text(
        '1\t"A <e1>cat</e1> saw a <e2>dog</e2>."\r\nOther\r\nComment:\r\n\r\n'
        '2\t"The <e1>paw</e1> of a <e2>dog</e2>."\r\nComponent-Whole(e1,e2)\r\nComment:\r\n\r\n',
        newline="",
    )
    raw = SOURCE.forms[0].read([File(str(path), path.name)])
    other, part = (normalize(example, {}, SOURCE.relation_labels, {}, {}) for example in raw)
    assert other.relations == ()
    assert [(r.label, r.head.text, r.tail.text) for r in part.relations] == [("component whole", "paw", "dog")]
