"""An Example → its text and gold annotations in the compact form of the report."""

from pipelines.report.samples import TEXT_CHARS, label_name, short
from schemas.example import Example, Mention


def compact(example: Example) -> list:
    """[id, text, entities, relations, events]; a layer is null if it is unknown.

    An entity is [label, mention], a relation [label, head, tail, head label, tail label], an event [label, trigger or
    null, [[role, mention], ...]]; a mention [start, end, ...] in code points, or its text if the source has no
    offsets. A text longer than TEXT_CHARS is cut, and annotations beyond the cut are left out.
    """
    most = TEXT_CHARS if len(example.text) > TEXT_CHARS else len(example.text)

    def shown(*mentions: Mention | None) -> bool:
        return all(end <= most for mention in mentions if mention for _, end in mention.spans)

    def marked(mention: Mention) -> list[int] | str:
        return [at for span in mention.spans for at in span] if mention.spans else short(mention.text, TEXT_CHARS)

    entities, relations, events = example.entities, example.relations, example.events
    return [
        example.id,
        short(example.text, most),
        None if entities is None else [[label_name(e.label), marked(e.mention)] for e in entities if shown(e.mention)],
        None
        if relations is None
        else [
            [
                label_name(r.label),
                marked(r.head),
                marked(r.tail),
                *(label_name(label or "") for label in (r.head_label, r.tail_label)),
            ]
            for r in relations
            if shown(r.head, r.tail)
        ],
        None
        if events is None
        else [
            [
                label_name(e.label),
                marked(e.trigger) if e.trigger else None,
                [[label_name(a.role), marked(a.mention)] for a in e.arguments if shown(a.mention)],
            ]
            for e in events
            if shown(e.trigger)
        ],
    ]
