"""The readers on the real files, where a copy of them is at hand: counts are those of the datasets' descriptions."""

from pathlib import Path

import pytest

from pipelines import registry
from pipelines.sources.__main__ import verify

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not at hand")

READ = {  # source, split: examples, entities, relations, events
    ("ade_corpus", "all"): (8608, 0, 7100, 0),  # ADE-NEG.txt is an excerpt
    ("anatem", "train"): (606, 6946, 0, 0),
    ("anatem", "validation"): (202, 2139, 0, 0),
    ("bc5cdr", "train"): (500, 9385, 1038, 0),
    ("bc5cdr", "validation"): (500, 9591, 1012, 0),
    ("clue_ner", "train"): (10748, 23971, 0, 0),
    ("clue_ner", "validation"): (1343, 3072, 0, 0),
    ("cmeie", "validation"): (3585, 0, 10626, 0),
    ("conll2003", "train"): (100, 175, 0, 0),  # an excerpt
    ("conll2003", "validation"): (50, 126, 0, 0),
    ("duee1", "validation"): (200, 0, 0, 224),  # an excerpt
    ("phee", "train"): (2898, 0, 0, 3006),
    ("phee", "validation"): (961, 0, 0, 1003),
    ("resume_ner", "train"): (3821, 13440, 0, 0),
    ("resume_ner", "validation"): (463, 1497, 0, 0),
    ("scierc", "train"): (1861, 5598, 3219, 0),
    ("scierc", "validation"): (275, 811, 455, 0),
    ("semeval_re", "train"): (8000, 0, 6590, 0),  # 1,410 of the 8,000 are labelled Other
}
BAD_RECORDS = {("ade_corpus", "all"): 1}  # the excerpt ends in the middle of a line


@pytest.fixture(scope="module")
def located():
    return {source.key: source for source in registry.everything(str(DATA))}


@pytest.mark.parametrize("key", sorted({key for key, _ in READ}))
def test_counts(located, key):
    report = verify(located[key].source, located[key].found)
    found = {
        (key, split): tuple(counts[name] for name in ("examples", "entities", "relations", "events"))
        for split, counts in report.items()
    }
    assert found == {at: counts for at, counts in READ.items() if at[0] == key}
    assert {(key, split): counts["bad_records"] for split, counts in report.items() if counts["bad_records"]} == {
        at: bad for at, bad in BAD_RECORDS.items() if at[0] == key
    }
