"""Random questions with right answers about a text, as a build writes them, and what mistakes can be made of."""

from hypothesis import strategies as st

from transforms.wrong_answers import Question

WORDS = ("Ada", "Lund", "sailed", "to", "Brevik", "，", "港", "口", ".", "coal", "Ada")
OTHER = ("Ada Holm", "Oslo", "河", "tin", "coal", "Brevik")
LABELS = ("person", "place", "cargo", "ship")
ROLES = ["who", "where"]


@st.composite
def questions(draw, task: str) -> Question:
    words = draw(st.lists(st.sampled_from(WORDS), min_size=2, max_size=10))
    text = " ".join(words)
    runs = [" ".join(words[at:end]) for at in range(len(words)) for end in range(at + 1, min(at + 4, len(words) + 1))]
    labels = draw(st.lists(st.sampled_from(LABELS), min_size=1, max_size=4, unique=True))
    here, elsewhere = values(task, st.sampled_from(runs)), values(task, st.sampled_from(OTHER))
    return Question(
        task=task,
        text=text,
        answer={label: draw(here) for label in labels},
        neighbours={label: draw(st.permutations([other for other in labels if other != label])) for label in labels},
        roles=dict.fromkeys(labels, ROLES) if task in ("EE", "EEA") else {},
        symmetric=draw(st.sets(st.sampled_from(LABELS), max_size=1)),
        elsewhere={label: items(draw(elsewhere)) for label in labels},
    )


def items(value: list | dict) -> list:
    return list(value.items()) if isinstance(value, dict) else value


def values(task: str, mention: st.SearchStrategy[str]) -> st.SearchStrategy:
    """The values of a label in answers to a task."""
    several = st.lists(mention, min_size=2, max_size=3, unique=True)
    if task in ("NER", "EET"):
        return st.lists(mention, max_size=3, unique=True)
    if task in ("RE", "SPO"):
        return st.lists(st.fixed_dictionaries({"subject": mention, "object": mention}), max_size=3, unique_by=str)
    if task == "KG":
        attributes = st.dictionaries(st.sampled_from(["port", "owner"]), mention | several, min_size=1)
        return st.just([]) | st.dictionaries(mention, attributes, min_size=1, max_size=2)
    role = mention | several | st.just("NAN")
    roles = st.tuples(role, role).map(lambda filled: dict(zip(ROLES, filled, strict=True)))
    arguments = roles.map(lambda filled: filled if set(map(str, filled.values())) != {"NAN"} else {})
    event = st.fixed_dictionaries({"trigger": mention | st.just("NAN"), "arguments": arguments})
    events = event.filter(lambda event: event != {"trigger": "NAN", "arguments": {}})
    return st.lists(events, min_size=task == "EEA", max_size=2, unique_by=str)
