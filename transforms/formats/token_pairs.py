"""A sentence's tokens and the numbers of those that make up two mentions → RawExample with one relation.

What FewRel (Han et al. 2018, https://aclanthology.org/D18-1514) and Wiki-ZSL (Chen and Li 2021,
https://aclanthology.org/2021.naacl-main.272) have in common.
"""

from collections.abc import Sequence

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample, Span
from transforms.formats.token_spans import sentence

Pair = tuple[Sequence[int], Sequence[int], str]
"""The token numbers of head and tail, from 0, and the label."""


def to_example(place: str, tokens: Sequence[str], pairs: Sequence[Pair]) -> RawExample | BadRecord:
    """The tokens joined by blanks, with a relation for each pair; tokens that are nothing but blanks are left out.

    Numbers that do not follow one another are several mentions of one entity: the first counts. No numbers, or one
    outside the sentence, make it a BadRecord.
    """
    words = [token for token in tokens if token.strip()]
    kept = [number for number, token in enumerate(tokens) if token.strip()]
    position = {number: index for index, number in enumerate(kept)}

    def span(numbers: Sequence[int]) -> Span | None:
        found = sorted(position[number] for number in numbers if number in position)
        if not found or not all(0 <= number < len(tokens) for number in numbers):
            return None
        end = found[0]
        while end in found:
            end += 1
        return found[0], end

    relations = []
    for head, tail, label in pairs:
        spans = span(head), span(tail)
        if None in spans:
            detail = f"tokens {list(head)} and {list(tail)} are no two mentions in {len(tokens)} tokens"
            return BadRecord(place, Reason.OFFSET_MISMATCH, detail)
        relations.append((*spans, label))
    return sentence(place, words, None, relations)
