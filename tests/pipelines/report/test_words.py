"""What the report itself says: every text is in the file of words, and every one there is used."""

import re

from pipelines import sources
from pipelines.report.page import SCRIPTS, TEMPLATES
from pipelines.report.sentences import sentence_words
from pipelines.report.user_sources import ONLY_COUNTED
from pipelines.sources import judge, licences, problems, user_forms
from pipelines.stages import shard_leaks, text_keys
from schemas.errors import Reason
from schemas.example import SPLITS, Example
from transforms import clean
from transforms.pages.document import PAGE_SCRIPT
from transforms.pages.phrases import read

WORDS_OF_PAGE = read(TEMPLATES)["en"]
SCRIPT = PAGE_SCRIPT + "\n".join((TEMPLATES / f"report_{name}.js").read_text("utf-8") for name in SCRIPTS)
HTML = (TEMPLATES / "report.html").read_text("utf-8")

PARTS = {
    "split": SPLITS,
    "stage": ("ingest", "clean"),
    "layer": ("entities", "relations", "events"),
    "reason": tuple(Reason),
    "why": tuple(Reason),
    "role": ("positive", "hard", "other"),
    "role.sign": ("positive", "hard", "other"),
    "familiarity": ("seen", "near", "unseen"),
    "leakage": ("equal", "contained", "near"),
    "area": ("instructions", "texts", "equal"),
    "measure": ("tokens", "instructions", "texts"),
    "domain": ("none", *{sources.load(key).domain for key in sources.keys()}),
    "mining": ("none", "random"),
    "notice": ("gated", "ask"),
    "related": ("card", "hard_negatives", "validation"),
}
"""Beginning of keys → the ends that the scripts put behind it."""


def test_every_text_of_the_page_has_words_and_all_words_are_used():
    used = set(re.findall(r'data-say(?:-aria-label)?="([^"]+)"', HTML))
    used |= {key for key in re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)*)"', SCRIPT) if key in WORDS_OF_PAGE}
    begun = set(re.findall(r"`([a-z_.]+)\.\$\{", SCRIPT)) | {"stage", "split", "familiarity", "area"}
    assert begun == set(PARTS)
    used |= {f"{begin}.{end}" for begin, ends in PARTS.items() for end in ends}
    assert used | {"page.language", "page.without_script", "page.all_figures"} == set(WORDS_OF_PAGE)


def test_sentences_of_the_code_are_translated():
    kinds = {problems.RECORDS_LEFT_OUT, problems.ANNOTATIONS_LEFT_OUT, problems.MISSING_PART, ONLY_COUNTED}
    kinds |= {problems.in_words(reason) for reason in Reason if not reason.is_rule or reason in problems.REASONS}
    details = {*text_keys.DETAILS.values(), *shard_leaks.DETAILS.values()}
    formats = {form.title for form in user_forms.FORMS if re.search(r"\b[a-z]+\b", form.title) and " " in form.title}
    formats -= {"doccano JSON"}
    texts = (Example("a/train/0", "A", "train", "en", text, ("NER",), (), None, None) for text in ("A", "....!A" * 9))
    low_quality = {re.sub(r"\d+", "#", clean.low_quality(example)) for example in texts}
    words = sentence_words()
    assert words["zh"].keys() == words["en"].keys() == {
        *kinds, *problems.KINDS, problems.in_words(Reason.ONE_PAIR_UNITED),
        licences.NONE_STATED, licences.NOT_KNOWN, *licences.PUBLISHING.values(), *formats,
        *(detail.removesuffix(": {}") for detail in details),
        clean.EMPTY_TEXT, clean.EMPTY_MENTION, *low_quality,
        judge.TOO_MANY_BAD, judge.NO_TEXT, judge.NONE_ANNOTATED, judge.NONE_USED, judge.ANNOTATE,
    }  # fmt: skip
    assert all(re.search("[\u4e00-\u9fff]", text) for text in words["zh"].values())


def test_every_key_that_a_script_names_has_words():
    named = re.findall(r'say(?:With)?\(\s*"([^"]+)"', SCRIPT)
    named += [
        key for keys in re.findall(r"sayAll\(\[(.*?)\]\)", SCRIPT, re.DOTALL) for key in re.findall('"(.*?)"', keys)
    ]
    assert len(named) > 100 and set(named) <= set(WORDS_OF_PAGE)


def test_scripts_and_page_have_no_words_of_their_own():
    sentences = re.findall(r'["`][A-Z][a-z]+ [a-z]+[^"`]*["`]', re.sub(r"//.*", "", SCRIPT))
    assert sentences == []
    body = re.sub(r"<noscript>.*?</noscript>|<[^>]*>|@@\w+@@", "", HTML.partition("<body>")[2], flags=re.DOTALL)
    assert body.split() == []


def test_scripts_are_short():
    assert all(len((TEMPLATES / f"report_{name}.js").read_text("utf-8").splitlines()) < 400 for name in SCRIPTS)
    assert {path.name for path in TEMPLATES.glob("*.js")} == {f"report_{name}.js" for name in SCRIPTS}
