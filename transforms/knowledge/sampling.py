"""Which texts with facts are exported, into which split, and with which facts.

The more frequent a combination of relations is, the less likely a further text with it is kept (Gui et al. 2023,
arXiv 2305.11527). Every choice is a hash of the seed and an id, so it does not depend on the order of the input.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from schemas.knowledge import Fact, LinkedMention, MatchedParagraph
from schemas.knowledge_corpus import ExportedEntity, ExportedRelation, ExportedText, KnowledgeCorpus, RelationType
from transforms import draw
from transforms.draw import nth_key, seed_key

BINS = 1 << 16
"""Texts without a fact are drawn by the first 16 bits of a hash, so that counts per bin decide how many are drawn."""

RANK, KEEP, WITHOUT_FACTS = range(3)
"""Numbers of the choices for a text: its rank among the texts with its combination, whether it is kept, and whether it
is drawn as a text without a fact.
"""


def cut(paragraph: MatchedParagraph, min_score: float) -> MatchedParagraph:
    """The paragraph without the facts whose score is below `min_score`.

    A relation that loses all its facts becomes unknown: the graph states these facts, and the text may state them too.
    A relation with a fact left is asked, because its answer is not empty.
    """
    kept = tuple(fact for fact in paragraph.facts if fact.score is None or fact.score >= min_score)
    if len(kept) == len(paragraph.facts):
        return paragraph
    dropped = {fact.relation for fact in paragraph.facts} - {fact.relation for fact in kept}
    return replace(paragraph, facts=kept, unknown=tuple(sorted(dropped.union(paragraph.unknown))))


def combination(paragraph: MatchedParagraph) -> tuple[str, ...]:
    """The relations of the facts that an instruction can ask for, sorted."""
    return tuple(sorted({fact.relation for fact in paragraph.facts}.difference(paragraph.unknown)))


def group_key(theme: str, relations: Sequence[str]) -> int:
    """64 bits that stand for a combination of relations of a theme."""
    digest = hashlib.blake2b("\0".join((theme, *relations)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def text_key(seed: int, paragraph_id: str) -> int:
    """The key of all choices for a text."""
    return seed_key(seed, paragraph_id, "export")


def bin_number(key: int) -> int:
    """The bin, below BINS, of a text without a fact. `key`: its `text_key`."""
    return nth_key(key, WITHOUT_FACTS) >> 48


def thin(groups: np.ndarray, keys: np.ndarray, alpha: float) -> np.ndarray:
    """Whether each text is kept: the text at rank k of its group with the probability 1 / (1 + k) ** alpha.

    `groups`, `keys`: `group_key` and `text_key` of each text, uint64. Equal keys have equal ranks only if their groups
    differ; the order of the input decides between them.
    """
    ranks = draw.key_array(keys, np.full(len(keys), RANK))
    order = np.lexsort((ranks, groups))
    first = np.r_[True, groups[order][1:] != groups[order][:-1]] if len(order) else np.zeros(0, bool)
    starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    position = np.empty(len(order))
    position[order] = np.arange(len(order)) - starts
    draws = draw.key_array(keys, np.full(len(keys), KEEP)) / 2.0**64
    return draws < (1 + position) ** -alpha


def bins_to_draw(counts: np.ndarray, with_facts: int, share: float) -> int:
    """The number of bins, from 0, whose texts are drawn, so that `share` of all texts of the theme have no fact.

    `counts`: texts without a fact per bin. At most as many texts are drawn as there are; with share 1, all of them.
    """
    wanted = np.inf if share >= 1 else share / (1 - share) * with_facts
    return int(np.searchsorted(np.cumsum(counts), wanted + 0.5, side="right"))


def split_of(paragraph: MatchedParagraph, seed: int, validation_share: float, test_share: float) -> str:
    """The split of all paragraphs of a page, by a hash of its title, else of its item, else of the paragraph's id."""
    about = paragraph.paragraph
    page = about.title or (f"Q{about.page}" if about.page is not None else about.id)
    place = seed_key(seed, page, "split") / 2.0**64
    return "test" if place < test_share else "validation" if place < test_share + validation_share else "train"


def exported(paragraph: MatchedParagraph, corpus: KnowledgeCorpus) -> ExportedText:
    """The row of a paragraph. Mentions without an entity type are left out, unless they are ends of facts. Of facts
    with the same relation and ends, which several properties may state, the one with the highest score is kept.
    """
    about = paragraph.paragraph
    relations = {relation.key: relation for relation in corpus.relations}
    ends = {kind for relation in corpus.relations for kind in (*relation.head_types, *relation.tail_types)}
    types = {kind.key: kind.key not in ends for kind in corpus.entity_types}
    kinds = [end_types(paragraph, fact, relations[fact.relation]) for fact in paragraph.facts]
    inferred: dict[int, str] = {}
    for fact, (head_type, tail_type) in zip(paragraph.facts, kinds, strict=True):
        inferred.setdefault(fact.head, head_type)
        inferred.setdefault(fact.tail, tail_type)
    places: dict[int, int] = {}
    entities: list[ExportedEntity] = []
    for number, mention in enumerate(paragraph.mentions):
        known = [kind for kind in mention.types or (inferred.get(number),) if kind in types]
        if known:
            kind = min(known, key=types.__getitem__)  # the first one that a relation allows, if there is one
            places[number] = len(entities)
            qid = None if mention.qid is None else f"Q{mention.qid}"
            entities.append(
                ExportedEntity(about.text[mention.start : mention.end], mention.start, mention.end, kind, qid)
            )
    facts: dict[tuple[str, int, int], ExportedRelation] = {}
    for fact, types_of_ends in zip(paragraph.facts, kinds, strict=True):
        score = None if fact.score is None else round(fact.score, 6)
        row = ExportedRelation(
            places[fact.head], places[fact.tail], fact.relation, f"P{fact.property}", *types_of_ends, score
        )
        first = facts.setdefault((row.relation, row.head, row.tail), row)
        if (row.score or 0) > (first.score or 0):
            facts[row.relation, row.head, row.tail] = row
    return ExportedText(
        about.id,
        about.text,
        tuple(entities),
        tuple(facts.values()),
        about.title,
        None if about.page is None else f"Q{about.page}",
        paragraph.unknown,
    )


def end_types(paragraph: MatchedParagraph, fact: Fact, relation: RelationType) -> tuple[str, str]:
    """The first types of the head and the tail that the relation allows. An item whose types the graph does not know
    has the first type that the relation allows.
    """

    def kind(mention: LinkedMention, allowed: tuple[str, ...]) -> str:
        return next((kind for kind in allowed if kind in mention.types), allowed[0])

    mentions = paragraph.mentions
    return kind(mentions[fact.head], relation.head_types), kind(mentions[fact.tail], relation.tail_types)
