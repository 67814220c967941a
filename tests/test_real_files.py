"""The readers on the real files, if they are present: the counts are those in the descriptions of the datasets."""

from pathlib import Path

import pytest

from pipelines.sources import registry
from pipelines.sources.__main__ import as_splits, verify

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not present")

READ = {  # source, split: examples, entities, relations, events
    ("ade_corpus", "all"): (8608, 0, 7100, 0),  # ADE-NEG.txt is an excerpt
    ("anatem", "validation"): (202, 2139, 0, 0),
    ("anatem", "train"): (606, 6946, 0, 0),
    ("bc2gm", "train"): (15000, 18265, 0, 0),
    ("bc4chemd", "validation"): (226, 2202, 0, 0),  # an excerpt
    ("bc5cdr", "validation"): (500, 9591, 1012, 0),
    ("bc5cdr", "train"): (500, 9385, 1038, 0),
    ("casie", "all"): (400, 0, 0, 4001),  # an excerpt
    ("ccf_law", "test"): (971, 0, 0, 4293),
    ("clue_ner", "validation"): (1343, 3072, 0, 0),
    ("clue_ner", "train"): (10748, 23971, 0, 0),
    ("cmeie", "validation"): (3585, 0, 10626, 0),
    ("coae2016", "test"): (988, 0, 988, 0),
    ("conll2003", "train"): (100, 175, 0, 0),  # an excerpt
    ("conll2003", "validation"): (50, 126, 0, 0),  # an excerpt
    ("conll2004", "validation"): (231, 893, 343, 0),
    ("conll2004", "train"): (922, 3377, 1283, 0),
    ("crossner_ai", "test"): (450, 2081, 0, 0),
    ("crossner_literature", "test"): (500, 2671, 0, 0),
    ("crossner_science", "test"): (650, 3613, 0, 0),
    ("crudeoilnews", "test"): (1002, 0, 0, 751),  # an excerpt
    ("duee1", "validation"): (200, 0, 0, 224),  # an excerpt
    ("duee_fin", "validation"): (120, 0, 0, 165),  # an excerpt
    ("duie2", "train"): (300, 0, 519, 0),  # an excerpt
    ("fabner", "train"): (9435, 45416, 0, 0),
    ("fabner", "validation"): (2183, 9735, 0, 0),
    ("fewfc", "test"): (3552, 0, 0, 5577),
    ("fewrel_0", "test"): (4200, 0, 4200, 0),
    ("fewrel_1", "test"): (1400, 0, 1400, 0),
    ("fewrel_2", "test"): (3500, 0, 3500, 0),
    ("fewrel_3", "test"): (2100, 0, 2100, 0),
    ("fewrel_4", "test"): (3500, 0, 3500, 0),
    ("genia_ner", "all"): (7909, 25514, 0, 0),  # an excerpt
    ("gids", "validation"): (1864, 0, 1417, 0),  # 447 of the 1,864 are labelled NA
    ("harvey_ner", "validation"): (1301, 523, 0, 0),
    ("harvey_ner", "train"): (3967, 1581, 0, 0),
    ("ipre", "test"): (9078, 0, 9078, 0),  # the sentence file is truncated
    ("kbp37", "validation"): (1716, 0, 1506, 0),  # 1,724 minus 8
    ("kbp37", "train"): (15820, 0, 14275, 0),  # 15,917 in the description, minus 97 with an empty mention
    ("mit_movie", "train"): (9775, 21295, 0, 0),
    ("mit_movie_trivia", "train"): (7816, 23030, 0, 0),
    ("mit_restaurant", "train"): (7660, 15363, 0, 0),
    ("msra", "train"): (8696, 12032, 0, 0),  # an excerpt
    ("ncbi_disease", "validation"): (100, 787, 0, 0),
    ("ncbi_disease", "train"): (593, 5145, 0, 0),
    ("nyt", "validation"): (5000, 0, 7985, 0),
    ("nyt11_hrl", "validation"): (313, 0, 390, 0),
    ("phee", "validation"): (961, 0, 0, 1003),
    ("phee", "train"): (2898, 0, 0, 3006),
    ("rams", "test"): (924, 0, 0, 924),
    ("resume_ner", "validation"): (463, 1497, 0, 0),
    ("resume_ner", "train"): (3821, 13440, 0, 0),
    ("scierc", "validation"): (275, 811, 455, 0),
    ("scierc", "train"): (1861, 5598, 3219, 0),
    ("semeval_re", "train"): (8000, 0, 6590, 0),  # 1,410 of the 8,000 are labelled Other
    ("weibo_ner", "test"): (1620, 2284, 0, 0),
    ("wiki_zsl_0", "test"): (998, 0, 998, 0),
    ("wiki_zsl_1", "test"): (1000, 0, 1000, 0),
    ("wiki_zsl_2", "test"): (998, 0, 998, 0),
    ("wiki_zsl_3", "test"): (1997, 0, 1997, 0),
    ("wiki_zsl_4", "test"): (1000, 0, 1000, 0),
    ("wikievents", "test"): (20, 0, 0, 345),
}
BAD_RECORDS = {  # excerpts that end within a record; blocks and rows with an empty mention
    ("ade_corpus", "all"): 1,
    ("ipre", "test"): 2,
    ("kbp37", "validation"): 8,
    ("kbp37", "train"): 97,
    ("wiki_zsl_0", "test"): 2,
    ("wiki_zsl_2", "test"): 2,
    ("wiki_zsl_3", "test"): 3,
}


@pytest.fixture(scope="module")
def located():
    return {source.key: source for source in registry.locate_all(registry.list_root(str(DATA)))}


@pytest.mark.parametrize("key", sorted({key for key, _ in READ}))
def test_counts_match_the_descriptions(located, key):
    report = as_splits(verify(key, located[key].source, located[key].files))
    read = {
        (key, split): tuple(counts[name] for name in ("examples", "entities", "relations", "events"))
        for split, counts in report.items()
    }
    assert read == {at: counts for at, counts in READ.items() if at[0] == key}
    assert {(key, split): counts["bad_records"] for split, counts in report.items() if counts["bad_records"]} == {
        at: bad for at, bad in BAD_RECORDS.items() if at[0] == key
    }
