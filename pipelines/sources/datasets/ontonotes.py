"""OntoNotes 5.0, English: eighteen types of names, times and amounts; CoNLL-2012 columns or the release's `.name`."""

import re
from functools import partial
from xml.sax.saxutils import unescape

from pipelines.sources import Form, Licence, Source
from schemas.label import Label
from transforms.formats import conll2012, inline
from transforms.formats.offsets import DIGITS
from transforms.formats.token_spans import PTB_ESCAPES

ESCAPES = PTB_ESCAPES | {"-AMP-": "&", "-LAB-": "<", "-RAB-": ">", "/.": ".", "/?": "?", "/-": "-"}
"""The escapes of the Treebank, of markup characters, and of punctuation that transcripts mark with a slash."""

ESCAPED = re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, ESCAPES))})(?!\S)")
MARK = re.compile(
    r'<ENAMEX TYPE="(?P<label>[^"]+)"'
    rf'(?: +S_OFF="(?P<before>{DIGITS})")?(?: +E_OFF="(?P<after>{DIGITS})")? *>|</ENAMEX>'
)

OTHER_LANGUAGES = ("*chinese/*", "*arabic/*")


def respell(words: str) -> str:
    """`-LRB- AT&amp;T -RRB-` → `( AT&T )`."""
    return ESCAPED.sub(lambda match: ESCAPES[match[0]], unescape(words))


SOURCE = Source(
    name="Ontonotes",
    title="OntoNotes 5.0 English",
    tasks=("NER",),
    lang="en",
    domain="general",
    licence=Licence.GATED,
    licence_text="LDC user agreement, not redistributable",
    homepage="https://catalog.ldc.upenn.edu/LDC2013T19",
    get="LDC2013T19 with the CoNLL-2012 conversion of github.com/ontonotes/conll-formatted-ontonotes-5.0: folders "
    "train, development, test with their *_gold_conll files into ontonotes/; or the release's own tree with *.name",
    citation="weischedel2013ontonotes",
    forms=(
        Form(
            partial(conll2012.read, escapes=ESCAPES),
            include=(
                "*gold_conll",
            ),  # *_skel files have no words, *auto_conll have the same sentences with other parses
            exclude=(*OTHER_LANGUAGES, "*conll-2012-test/*"),  # part of test
            # The name of a document may contain the name of a split, such as dev_09_c2e.
            splits={"*train/*": "train", "*development/*": "validation", "*test/*": "test"},
        ),
        Form(
            partial(inline.read, mark=MARK, skip=re.compile("</?DOC"), respell=respell),
            include=("*.name",),
            exclude=OTHER_LANGUAGES,
            splits={"*train/*": "train", "*development/*": "validation", "*test/*": "test", "*": "all"},
        ),
    ),
    entity_labels={
        "CARDINAL": Label("cardinal", "a number that falls under no other type"),
        "DATE": Label("date", "a date or a period of a day or longer, absolute or relative"),
        "EVENT": Label("event", "a named storm, battle, war, sports event or the like"),
        "FAC": Label("facility", "a named building, airport, motorway, bridge or the like"),
        "GPE": Label("geographical social political", "a country, city or state"),
        "LANGUAGE": Label("language", "a named language"),
        "LAW": Label("law", "a named document that was made a law"),
        "LOC": Label("location", "a named place that has no government: a mountain range, a sea, a continent"),
        "MONEY": Label("money", "an amount of money with its unit"),
        "NORP": Label("national religious political", "a nationality or a religious or political group"),
        "ORDINAL": Label("ordinal", "a number that tells a rank, as first"),
        "ORG": Label("organization", "a company, agency, institution, team or other body"),
        "PERCENT": Label("percent", "a percentage with its sign or word"),
        "PERSON": Label("person", "a real or fictional person's name"),
        "PRODUCT": Label("product", "a named vehicle, weapon, food or other thing, no service"),
        "QUANTITY": Label("quantity", "a measurement with its unit, as of weight or distance"),
        "TIME": Label("time", "a time or period shorter than a day"),
        "WORK_OF_ART": Label("work of art", "the title of a book, song, film or other work"),
    },
    real_files_seen=False,
)
