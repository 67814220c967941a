"""Formats of annotated text that are recognised and not read."""

from transforms.formats.head import Head


def is_gate(head: Head) -> bool:
    """GATE XML, https://gate.ac.uk/sale/tao/splitch5.html."""
    return "<GateDocument" in "\n".join(head.lines[:20])


def is_nif(head: Head) -> bool:
    """NIF 2.0 in Turtle, https://persistence.uni-leipzig.org/nlp2rdf/."""
    beginning = "\n".join(head.lines)
    return "nlp2rdf/ontologies/nif-core#" in beginning and "@prefix" in beginning.lower()
