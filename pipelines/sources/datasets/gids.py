"""GIDS: four relations of people on the web, distantly supervised; six tab-separated columns, names joined by `_`."""

from collections.abc import Iterable, Iterator

from pipelines.sources import Form, Licence, Source
from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from schemas.label import Label
from transforms.files import File
from transforms.formats.delimited import tab_rows

END = "###END###"


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Reads every row: two Freebase ids, two names, the relation, the text. In the text, `_` becomes a space only in
    the two names, since it also occurs in web addresses.
    """
    for row in tab_rows(files, 6):
        if isinstance(row, BadRecord):
            yield row
            continue
        place, (_, _, head, tail, label, text) = row
        if not text.rstrip().endswith(END):
            yield BadRecord(
                place, Reason.BROKEN_RECORD, f"the text does not end with {END}; check whether the row is truncated"
            )
            continue
        text = text.rstrip().removesuffix(END).strip()
        for name in sorted((head, tail), key=len, reverse=True):  # one may contain the other
            text = text.replace(name, plain(name))
        yield RawExample(place, text, relations=(Relation(label, Mention(plain(head)), Mention(plain(tail))),))


def plain(name: str) -> str:
    return name.replace("_", " ").strip()


SOURCE = Source(
    name="GIDS",
    title="Google-IISc Distant Supervision",
    tasks=("RE",),
    lang="en",
    domain="web",
    licence=Licence.ASK,
    licence_text="none stated",
    homepage="https://github.com/SharmisthaJat/RE-DS-Word-Attention-Models",
    get="the data of the homepage: train.tsv, dev.tsv, test.tsv into gids/ (folders may stay)",
    citation="jat2018improving",
    forms=(Form(read, include=("*.tsv",)),),
    relation_labels={
        "/people/person/education./education/education/institution": Label(
            "education institution", "a person and the school or university where he or she studied"
        ),
        "/people/person/education./education/education/degree": Label(
            "education degree", "a person and the academic degree that he or she took"
        ),
        "/people/person/place_of_birth": Label("place of birth", "a person and the place where he or she was born"),
        "/people/deceased_person/place_of_death": Label(
            "place of death", "a person and the place where he or she died"
        ),
        "NA": None,
    },
    one_pair=True,
)
