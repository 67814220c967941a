"""Windows of random examples: no annotation is lost without being counted, and the cuts are the best ones."""

from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.example import Example, mentions, surface
from tests.strategies import CLEAN, assert_references_hold, examples, texts
from transforms.windows import _runs, _shortest, windows
from validation.document_windows import is_torn


@st.composite
def units_and_items(draw):
    """Up to seven units of one to five characters, with or without blanks between, and stretches over them."""
    units, end = [], 0
    for length in draw(st.lists(st.integers(1, 5), min_size=1, max_size=7)):
        units.append((end, end + length))
        end += length + draw(st.integers(0, 1))
    number = st.integers(0, len(units) - 1)
    kind = st.sampled_from(["entities", "relations"])
    items = draw(st.lists(st.tuples(kind, number, number), max_size=6))
    spans = [(kind, (units[min(a, b)][0], units[max(a, b)][1])) for kind, a, b in items]
    return units, spans, draw(st.integers(5, 15))


@given(st.lists(st.integers(0, 30), min_size=1, unique=True), st.lists(st.integers(0, 30), min_size=1, unique=True))
def test_the_shortest_stretch_with_two_mentions(heads, tails):
    one, other = [(n, n + 2) for n in sorted(heads)], [(n, n + 5) for n in sorted(tails)]
    stretches = [(min(a, b), max(c, d)) for a, c in one for b, d in other]
    shortest = _shortest(tuple(one), tuple(other))
    assert shortest in stretches and shortest[1] - shortest[0] == min(end - start for start, end in stretches)
    assert _shortest(tuple(one), None) == one[0]


@given(units_and_items())
def test_runs_equal_an_exhaustive_search(case):
    units, items, max_chars = case
    best = None
    for size in range(len(units)):
        for cuts in combinations(range(1, len(units)), size):
            ends = [*cuts, len(units)]
            runs = [(units[a][0], units[b - 1][1]) for a, b in zip([0, *cuts], ends, strict=True)]
            if any(end - start > max_chars for start, end in runs):
                continue
            cut = [kind for kind, (s, e) in items if not any(start <= s and e <= end for start, end in runs)]
            rank = (cut.count("entities"), cut.count("relations"), len(runs), cuts)
            best = min(best, (rank, runs)) if best else (rank, runs)
    assert _runs(units, items, max_chars) == best[1]


def traced(example: Example) -> Example:
    """The example with a unique label or role for every annotation, so that each can be identified in the windows."""

    def numbered(layer):
        return layer and tuple(replace(item, label=f"{n}") for n, item in enumerate(layer))

    events = example.events and tuple(
        replace(event, arguments=tuple(replace(argument, role=f"{n}") for n, argument in enumerate(event.arguments)))
        for event in example.events
    )
    layers = {"entities": numbered(example.entities), "relations": numbered(example.relations)}
    return replace(example, **layers, events=numbered(events))


def visible(parts: list[Example]) -> str:
    return "".join("".join(part.text.split()) for part in parts)


@given(examples(text=texts(CLEAN * 2 + ("\u00a0", "e\u0301", "\u3000")), max_size=3).map(traced), st.integers(5, 25))
def test_windows_keep_or_count_everything(example, max_chars):
    cut, lost = windows(example, max_chars)
    if len(example.text) <= max_chars:
        assert cut == [example]
        return
    assert [window.id for window in cut] == [f"{example.id}/{n}" for n in range(len(cut))]
    assert all(0 < len(window.text) <= max_chars and window.text == window.text.strip() for window in cut)
    assert all(surface(window.text, m.spans) == m.text for window in cut for m in mentions(window) if m.spans)

    assert not is_torn(example.text, [(n, window.text) for n, window in enumerate(cut)], max_chars)
    base = cut[: next(n for n in range(1, len(cut) + 1) if visible(cut[:n]) == visible([example]))]
    for window in base:
        assert window.tasks == example.tasks
        for layer in ("entities", "relations", "events"):
            assert (getattr(window, layer) is None) == (getattr(example, layer) is None)
    for window in cut[len(base) :]:
        assert window.tasks and set(window.tasks) <= set(example.tasks) and window.entities is None
        assert visible([window]) in visible([example])

    for window in cut:
        assert_references_hold(window)
        assert set(example.unknown_labels) <= set(window.unknown_labels)
    unknown = {label for window in cut for label in window.unknown_labels} - set(example.unknown_labels)
    assert lost or not unknown

    kept = Counter(entity.label for window in cut for entity in window.entities or ())
    spanned = {entity.label for entity in example.entities or () if entity.mention.spans}
    assert all(count == 1 for label, count in kept.items() if label in spanned)
    cut_through = {entity.label for entity in example.entities or ()} - kept.keys()
    assert {label.label for label in unknown if label.layer == "entities"} == cut_through
    relations = {relation.label for window in cut for relation in window.relations or ()}
    events = {event.label for window in cut for event in window.events or ()}
    arguments = {(e.label, a.role) for window in cut for e in window.events or () for a in e.arguments}
    everything = {
        "entities": len(example.entities or ()) - len(kept),
        "relations": len(example.relations or ()) - len(relations),
        "events": len(example.events or ()) - len(events),
        "arguments": sum(len(event.arguments) for event in example.events or ()) - len(arguments),
    }
    assert lost == Counter({f"{kind}": count for kind, count in everything.items() if count})
