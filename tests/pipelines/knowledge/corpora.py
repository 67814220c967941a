"""Matched paragraphs and the description of a corpus, for tests of the export and of the source that reads it."""

from schemas.knowledge import Fact, LinkedMention, MatchedParagraph, Paragraph
from schemas.knowledge_corpus import Dump, EntityType, KnowledgeCorpus, RelationType

CORPUS = KnowledgeCorpus(
    version=1,
    name="en_person",
    title="People, English",
    lang="en",
    theme="person",
    licence="CC-BY-SA-4.0",
    wikidata=(Dump("wikidata-20240102-all.json.gz", "2024-01-02"),),
    wikipedia=(Dump("enwiki-20240101-pages-articles.xml.bz2", "2024-01-01"),),
    scorer="lexical",
    min_score=0.5,
    entity_types=(
        EntityType("human", "human", "a real or fictional person"),
        EntityType("geographic_region", "geographic region", "a place"),
        EntityType("time", "time", "a date or time"),
    ),
    relations=(
        RelationType("birth_place", "place of birth", "where a person was born", ("human",), ("geographic_region",)),
        RelationType("birth_date", "date of birth", "when a person was born", ("human",), ("time",)),
        RelationType("spouse", "spouse", "whom a person married", ("human",), ("human",)),
    ),
    settings={"seed": 7, "export.alpha": 1.0, "match.theme": None},
)


def paragraph(number: int, relations: dict[str, float], theme: str | None = "person", unknown=()) -> MatchedParagraph:
    """A text about person `number` of page `number // 2`, which states `relations` (key → score)."""
    text = f"Ada {number} Marrow was born on 4 May 19{number % 90 + 10} in Coal Quay; she married Low Water."
    ends = {"birth_place": "Coal Quay", "birth_date": f"4 May 19{number % 90 + 10}", "spouse": "Low Water"}
    types = {"birth_place": "geographic_region", "birth_date": "time", "spouse": "human"}
    name = f"Ada {number} Marrow"
    mentions = [LinkedMention(0, len(name), "title", 990000001 + number, ("human",))]
    for relation, end in ends.items():
        start = text.index(end)
        qid = None if relation == "birth_date" else 990001000
        mentions.append(LinkedMention(start, start + len(end), "anchor", qid, (types[relation],)))
    mentions.sort(key=lambda mention: mention.start)
    starts = [mention.start for mention in mentions]
    facts = tuple(
        Fact(relation, 0, starts.index(text.index(ends[relation])), 19, score) for relation, score in relations.items()
    )
    about = Paragraph(f"{number:06d}", "en", text, f"Page {number // 2}", 990000001 + number // 2)
    return MatchedParagraph(about, theme, tuple(mentions), facts, unknown)
