"""The formats of annotation tools in which users' own data may come, and how files in them are recognised."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from schemas.errors import BadRecord
from schemas.example import RawExample
from transforms.files import File
from transforms.formats import (
    bioc_documents,
    brat_folder,
    conll,
    docbin,
    doccano,
    gliner2_json,
    gliner_json,
    instruction_rows,
    label_studio,
    lif,
    not_read,
    plain_text,
    prodigy,
    pubannotation,
    pubtator,
    spacy_json,
    uima_json,
    uima_xmi,
    unified,
    webanno_tsv,
)
from transforms.formats.head import Head


@dataclass(frozen=True)
class UserForm:
    """A format that a user's folder may have.

    `name`: the word for `format:` in source.yaml. `title`: the name for people. `suffixes`: of the files of the format,
    in lower case; a file with another one is not looked at. `recognises`: whether a file is in the format, by its
    beginning. `layers`: what the format can annotate. `read`: the reader of the files of one split; it yields one
    RawExample per text and annotator. Its options, if any, are keys of source.yaml.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    layers: tuple[str, ...]
    recognises: Callable[[Head], bool]
    read: Callable[..., Iterator[RawExample | BadRecord]]
    companions: tuple[str, ...] = ()
    """Suffixes of files that belong to the format but are not read by themselves: the texts of brat."""
    adjacent: bool = False
    """Whether all annotations of a text follow one another, whoever made them."""


JSON = (".json", ".jsonl")
COLUMNS = (
    *(".conll", ".txt", ".tsv", ".bio", ".iob", ".iob2", ".bioes", ".bmes", ".conllu", ".ner", ".data"),
    *(".train", ".dev", ".test", ".testa", ".testb", ".gold_conll", ".v4_gold_conll", ".v4_auto_conll"),
)
SPANS, BOTH, ALL = ("entities",), ("entities", "relations"), ("entities", "relations", "events")

FORMS: tuple[UserForm, ...] = (
    UserForm("label_studio", "Label Studio JSON", JSON, BOTH, label_studio.recognises, label_studio.read, (), True),
    UserForm("prodigy", "Prodigy JSONL", JSON, BOTH, prodigy.recognises, prodigy.read),
    UserForm("gliner", "GLiNER JSON", JSON, BOTH, gliner_json.recognises, gliner_json.read),
    UserForm("gliner2", "GLiNER2 JSONL", JSON, BOTH, gliner2_json.recognises, gliner2_json.read),
    UserForm("pubannotation", "PubAnnotation JSON", JSON, BOTH, pubannotation.recognises, pubannotation.read),
    UserForm("spacy", "spaCy JSON", JSON, SPANS, spacy_json.recognises, spacy_json.read),
    UserForm("docbin", "spaCy DocBin", (".spacy",), SPANS, docbin.recognises, docbin.read),
    UserForm("doccano", "doccano JSON", JSON, BOTH, doccano.recognises, doccano.read),
    UserForm("brat", "brat", (".ann",), ALL, brat_folder.recognises, brat_folder.read, (".txt", ".conf")),
    UserForm("webanno", "WebAnno TSV 3", (".tsv",), ALL, webanno_tsv.recognises, webanno_tsv.read),
    UserForm("uima_xmi", "UIMA CAS XMI", (".xmi",), ALL, uima_xmi.recognises, uima_xmi.read, (".xml",)),
    UserForm("uima_json", "UIMA CAS JSON", (".json",), ALL, uima_json.recognises, uima_json.read),
    UserForm("bioc_xml", "BioC XML", (".xml",), BOTH, bioc_documents.recognises_xml, bioc_documents.read_xml),
    UserForm("bioc_json", "BioC JSON", JSON, BOTH, bioc_documents.recognises_json, bioc_documents.read_json),
    UserForm("pubtator", "PubTator", (".txt", ".pubtator"), BOTH, pubtator.recognises, pubtator.read_documents),
    UserForm("conll", "CoNLL columns", COLUMNS, SPANS, conll.recognises, conll.read),
    UserForm("unified", "IEPile's unified format", JSON, ALL, unified.recognises, unified.read_open),
    UserForm("alpaca", "Alpaca", JSON, ALL, instruction_rows.recognises, instruction_rows.read_alpaca),
    UserForm("sharegpt", "ShareGPT", JSON, ALL, instruction_rows.recognises, instruction_rows.read_sharegpt),
    UserForm("lines", "text, one per line", (".txt",), (), plain_text.recognises_lines, plain_text.read_lines),
    UserForm("text", "text, one per file", (".txt",), (), plain_text.recognises, plain_text.read),
)
"""In the order in which they are tried: a special format before a general one that its files fit, too."""


@dataclass(frozen=True)
class UnreadForm:
    """A format that is recognised but not read. `remedy`: what the user can do."""

    title: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Head], bool]
    remedy: str


IF_EXTRACTION = "if its rows ask for information extraction, write into a source.yaml beside it:"

RENAME = "rename column_data to text and column_label to label, or export the project from doccano"

UNREAD_FORMS = (
    UnreadForm("GATE XML", (".xml",), not_read.is_gate, "convert it to brat or CoNLL"),
    UnreadForm("LIF", (".lif", ".json"), lif.recognises, "convert it to brat or CoNLL"),
    UnreadForm("Alpaca JSON", JSON, instruction_rows.looks_like_alpaca, f"{IF_EXTRACTION} format: alpaca"),
    UnreadForm("ShareGPT JSON", JSON, instruction_rows.looks_like_sharegpt, f"{IF_EXTRACTION} format: sharegpt"),
    UnreadForm("a table", (".csv", ".xls", ".xlsx", ".ods"), not_read.is_table, "export JSON from the annotation tool"),
    UnreadForm("doccano's file for import", JSON, doccano.looks_like_import, RENAME),
    UnreadForm("NIF", (".ttl", ".nif", ".n3"), not_read.is_nif, "convert it to brat or CoNLL"),
)


def form_named(name: str) -> UserForm:
    """The format with this name in source.yaml. Raises KeyError for an unknown one."""
    return {form.name: form for form in FORMS}[name]


def recognise(file: File, forms: Sequence[UserForm] = FORMS) -> list[UserForm]:
    """The formats whose files look like this one, most special first."""
    head = Head(file)
    return [form for form in forms if head.suffix in form.suffixes and form.recognises(head)]


def recognise_unread(file: File) -> UnreadForm | None:
    """The format of a file that is not read, if it is known."""
    head = Head(file)
    return next((form for form in UNREAD_FORMS if head.suffix in form.suffixes and form.recognises(head)), None)


LOOKED_AT = 20
"""Files of a source that are looked at for other formats in which they may be."""


def other_forms(form: UserForm, files: Sequence[File]) -> list[UserForm]:
    """The formats other than `form`, in which `files` are read, that some of them look like."""
    forms = {each.name: each for file in files[:LOOKED_AT] for each in recognise(file)}
    others = [each for name, each in forms.items() if name not in (form.name, "text")]
    return others if form.name != "text" else [*others, form_named("lines")]


def possible_forms(others: Sequence[UserForm]) -> str:
    """What to do if a source, which looks like the formats `others` too, is read in a wrong one."""
    if not others:
        return "if it is in another format, write format: NAME (see docs/user_data.md) into source.yaml"
    words = " or ".join(f"{form.title} (format: {form.name})" for form in others)
    return f"could also be {words}; if so, write that into source.yaml"
