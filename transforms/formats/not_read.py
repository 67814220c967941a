"""Formats of annotated text that are recognised and not read."""

from schemas.errors import SourceError
from transforms.formats.head import Head


def is_gate(head: Head) -> bool:
    """GATE XML, https://gate.ac.uk/sale/tao/splitch5.html."""
    return "<GateDocument" in "\n".join(head.lines[:20])


def is_nif(head: Head) -> bool:
    """NIF 2.0 in Turtle, https://persistence.uni-leipzig.org/nlp2rdf/."""
    beginning = "\n".join(head.lines)
    return "nlp2rdf/ontologies/nif-core#" in beginning and "@prefix" in beginning.lower()


def is_table(head: Head) -> bool:
    """A spreadsheet or CSV, which its suffix says."""
    return True


def is_empty(head: Head) -> bool:
    """Whether the file has no content, or only an empty JSON array or object."""
    try:
        return "".join(line.strip() for line in head.file.first_lines()) in ("", "[]", "{}")
    except SourceError:  # not text
        return False
