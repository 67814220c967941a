"""The JSON Schema of an answer and the text of its prompt → a grammar of llguidance whose mentions are in the text.

The grammar is in llguidance's variant of Lark. A mention is a run of pieces of the text (`pieces`), so that no answer
names what the text does not say. The separators are those of corpora, the only ones that a model trained on them has
seen. That no string occurs twice in a list cannot be said in such a grammar: it would have to list all orders.
"""

import json
from collections.abc import Sequence
from itertools import pairwise

from train.prediction.answer_schema import BESIDE, MENTION, MENTION_OR_NAN
from transforms.phrasings import Phrasing
from transforms.render import NAN, encode_string
from transforms.scripts import UNBOUND, token_spans

HEADER = "%llguidance {}\n"
MENTION_RULES = """
RUN: %regex {chunks}
MENTION: "\\"" (RUN & /(.|\\n)*[^ ](.|\\n)*/) "\\""
BESIDE: "\\"" RUN "\\""
"""
TITLES = {
    MENTION["title"]: "MENTION",
    MENTION_OR_NAN["title"]: f'(MENTION | "\\"{NAN}\\"")',
    BESIDE["title"]: "BESIDE",
}


def pieces(text: str) -> list[str]:
    """The parts of a text between the places where a mention may start or end; joined they are the text.

    These places are the edges of words, and between words every character. In a text with Chinese, Japanese, Korean or
    other letters beside which a word may begin (`scripts.UNBOUND`), they are all characters.
    """
    if UNBOUND.search(text):
        return list(text)
    edges = sorted({0, len(text), *(at for span in token_spans(text) for at in span)})
    return [text[start:end] for start, end in pairwise(edges)]


def json_grammar(schema: dict, text: str) -> str:
    """The grammar of answers that follow `schema` (from `answer_schema.json_schema`), with mentions in `text`."""
    rules = Rules()
    start = rules.expression(schema)
    return _grammar(start, rules, text)


def sentences_grammar(labels: Sequence[str], phrasing: Phrasing, text: str, max_items: int) -> str:
    """The grammar of answers in the form `sentences`: at most `max_items` pairs with a relation of `labels`, one
    sentence a line, or NAN.
    """
    rules = Rules()
    relation = rules.expression({"enum": list(labels)})
    words = {"subject": "MENTION", "relation": relation, "object": "MENTION"}
    sentence = rules.name(
        " ".join(words[part] if number % 2 else _literal(part) for number, part in enumerate(phrasing.parts) if part)
    )
    start = f"{_literal(NAN)} | {_repeated(sentence, chr(10), 1, max_items)}"
    return _grammar(start, rules, text)


def _grammar(start: str, rules: "Rules", text: str) -> str:
    chunks = [encode_string(piece)[1:-1] for piece in pieces(text)]
    mention = MENTION_RULES.replace("{chunks}", json.dumps({"substring_chunks": chunks}))
    return "\n".join((HEADER, f"start: {start}", *(f"{name}: {body}" for body, name in rules.names.items()), mention))


def _repeated(item: str, separator: str, least: int, most: int) -> str:
    return item if most == 1 else f"{item} ({_literal(separator)} {item}){{{least - 1},{most - 1}}}"


def _literal(string: str) -> str:
    return json.dumps(string, ensure_ascii=False)


class Rules:
    """Lark rules of JSON Schemas. `names`: the body of a rule → its name, so that equal parts share a rule."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def name(self, body: str) -> str:
        return self.names.setdefault(body, f"r{len(self.names)}")

    def expression(self, schema: dict) -> str:
        """The expression for a schema, of those that `answer_schema` makes."""
        match schema:
            case {"const": value}:
                return _literal(encode_string(value))
            case {"enum": values}:
                return self.name(" | ".join(_literal(encode_string(value)) for value in values))
            case {"anyOf": schemas}:
                return self.name(" | ".join(map(self.expression, schemas)))
            case {"type": "string", "title": title}:
                return TITLES[title]
            case {"type": "array", "maxItems": 0}:
                return _literal("[]")
            case {"type": "array", "items": item, "maxItems": most}:
                least = schema.get("minItems", 0)
                items = _repeated(self.name(self.expression(item)), ", ", max(least, 1), most)
                filled = f'"[" {items} "]"'
                return self.name(filled if least else f'"[]" | {filled}')
            case {"type": "object", "additionalProperties": dict() as value, "maxProperties": most}:
                items = _repeated(self.name(f'MENTION ": " {self.expression(value)}'), ", ", 1, most)
                return self.name(f'"{{" {items} "}}"')
        properties = [
            f"{_literal(f'{encode_string(name)}: ')} {self.expression(value)}"
            for name, value in schema["properties"].items()
        ]
        if schema["required"] or not properties:
            joined = ' ", " '.join(properties)
            return self.name(f'"{{" {joined} "}}"')
        named = list(map(self.name, properties))
        orders = [" ".join([name, *(f'(", " {other})?' for other in named[n + 1 :])]) for n, name in enumerate(named)]
        return self.name(f'"{{" ({" | ".join(orders)}) "}}"')
