"""Small valid output of every stage, written by hand according to the wire format; it must pass all suites."""

import copy
import hashlib
import json

from schemas.label import Label, LabelSet, named_roles, typed_label

KEY = "mine/news"  # a user's folder: its key contains a slash
TEXT = "Anna Berg joined Nordlys in Bergen after Kalle Lund left the company."


def mention(text, *starts):
    """A mention with a span at each of `starts`; without spans if there are none."""
    return {"text": text, "spans": [[start, start + len(text)] for start in starts]}


ANNA, KALLE = mention("Anna Berg", 0), mention("Kalle Lund", 41)
NORDLYS, BERGEN = mention("Nordlys", 17), mention("Bergen", 28)


def example(number, split="train", text=TEXT, **layers):
    row = {"id": f"{KEY}/{split}/{number}", "source": "News", "split": split, "lang": "en", "text": text}
    unknown = {"entities": None, "relations": None, "events": None, "unknown_labels": []}
    return row | {"tasks": ["NER", "RE"]} | unknown | layers


def entity(label, where):
    return {"label": label, "mention": where, "concepts": []}


def examples():
    rows = [
        example(
            0,
            tasks=["NER", "RE", "SPO", "EE", "EET", "EEA", "KG"],
            entities=[
                entity("person", ANNA),
                entity("person", KALLE),
                entity("organization", NORDLYS),
                entity("city", {"text": "Nordlys Bergen", "spans": [[17, 24], [28, 34]]}),
            ],
            relations=[
                {
                    "label": "works for",
                    "head": ANNA,
                    "tail": NORDLYS,
                    "head_label": "person",
                    "tail_label": "organization",
                },
                {"label": "works for", "head": KALLE, "tail": NORDLYS, "head_label": None, "tail_label": None},
            ],
            events=[
                {
                    "label": "start job",
                    "trigger": mention("joined", 10),
                    "arguments": [{"role": "employee", "mention": ANNA}, {"role": "employer", "mention": NORDLYS}],
                },
                {"label": "end job", "trigger": None, "arguments": [{"role": "employee", "mention": mention("Lund")}]},
            ],
        ),
        example(1, entities=[], relations=[], text="Rain fell all day."),
        example("2/0", split="validation", entities=[entity("city", mention("Oslo", 0))], text="Oslo."),
        example(0, split="test", text="Nobody has annotated this text."),
    ]
    return copy.deepcopy(rows)  # mentions are shared


def label_set(task, *labels):
    return LabelSet(task, KEY, "News", "en", labels, {label.name: {"train": 2, "test": 1} for label in labels})


NER = ("award", "city", "country", "date", "facility", "law", "organization", "person", "product")
RE = ("born in", "lives in", "works at", "works for")
HIRED = typed_label("person", "works for", "organization")
TAUGHT = typed_label("person", "works for", "university")
BORN = typed_label("person", "born in", "city")
START = Label("start job", roles=named_roles(("employee", "employer", "place")))
END = Label("end job", roles=named_roles(("employee", "employer")))
PERSON = Label("person", roles=named_roles(("works for", "born in")))


def label_sets():
    return [
        label_set("NER", *map(Label, NER)),
        label_set("RE", *map(Label, RE)),
        label_set("SPO", BORN, HIRED, TAUGHT),
        label_set("EE", END, START),
        label_set("EET", END, START),
        label_set("EEA", END, START),
        label_set("KG", Label("organization", roles=named_roles(("seat",))), PERSON),
    ]


def dictionary():
    """The dictionary of the NER labels; the last pair was given by a user."""
    return {
        "city": [("country", 0.71), ("facility", 0.55), ("organization", 0.55)],
        "person": [("organization", 0.4), ("award", -0.02)],
        "law": [],
        "date": [("award", None)],
    }


def row(task, batch, schema, labels, answer, positives=(), hard=(), number=0, split="train", text=TEXT):
    example_id = f"{KEY}/{split}/{number}"
    prompt = {"instruction": "Extract what the schema asks for.", "schema": schema, "input": text}
    test = split == "test"
    return {
        "id": f"{example_id}/{task}/{batch}",
        "example_id": example_id,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "task": task,
        "source": "News",
        "lang": "en",
        "split": split,
        "instruction": json.dumps(prompt, ensure_ascii=False),
        "output": None if test else json.dumps(answer, ensure_ascii=False),
        "label": json.dumps(answer, ensure_ascii=False) if test and answer is not None else None,
        "labels": list(labels),
        "positives": list(positives),
        "hard_negatives": list(hard),
    }


def fill(*labels, **answers):
    """An answer with these values, and [] for all other labels."""
    return {label: answers.get(label.replace(" ", "_"), []) for label in labels}


def triples(*labels):
    return [
        {"subject_type": item.subject_type, "predicate": item.predicate, "object_type": item.object_type}
        for item in labels
    ]


def event_types(trigger, *labels):
    return [{"event_type": item.name, "trigger": trigger, "arguments": list(item.role_names)} for item in labels]


BATCH_0 = ("person", "city", "law", "country", "date", "award")
BATCH_1 = ("product", "facility", "organization")
TYPES = ("start job", "end job")
SOMEONE = {"subject": "Anna Berg", "object": "Nordlys"}
STARTED = {"trigger": "joined", "arguments": {"employee": ["Anna Berg", "She"], "employer": "Nordlys", "place": "NAN"}}
GOLD_EVENT = {"event_trigger": "joined", "event_type": "start job", "arguments": []}
PEOPLE = {"Anna Berg": {"works for": "Nordlys"}, "Kalle Lund": {"works for": ["Nordlys", "it"]}}


def instructions():
    """All tasks in train, with full, partial and all-negative batches; test rows with and without gold annotations."""
    gold = [{"entity": "Oslo", "entity_type": "city"}]
    oslo = {"split": "test", "text": "Oslo lies by the sea."}
    return [
        row("NER", 0, BATCH_0, BATCH_0, fill(*BATCH_0, person=["Anna Berg", "Kalle Lund"]), ["person"], ["award"]),
        row("NER", 1, BATCH_1, BATCH_1, fill(*BATCH_1)),
        row("NER", 0, BATCH_0, BATCH_0, fill(*BATCH_0), number=1, split="validation", text="Rain fell all day."),
        row("NER", 0, sorted(BATCH_0), sorted(BATCH_0), gold, ["city"], **oslo),
        row("NER", 1, sorted(BATCH_1), sorted(BATCH_1), gold, **oslo),
        row("NER", 0, sorted(BATCH_0), sorted(BATCH_0), None, number=1, split="test", text="Not annotated."),
        row("RE", 0, RE, RE, fill(*RE, works_for=[SOMEONE]), ["works for"], ["works at"]),
        row(
            "SPO",
            0,
            triples(BORN, HIRED),
            [BORN.name, HIRED.name],
            fill("born in", "works for", works_for=[SOMEONE]),
            [HIRED.name],
        ),
        row("SPO", 0, triples(BORN, HIRED), [BORN.name, HIRED.name], [], **oslo),
        row("SPO", 1, triples(TAUGHT), [TAUGHT.name], [], **oslo),
        row("EE", 0, event_types(True, START, END), TYPES, fill(*TYPES, start_job=[STARTED]), ["start job"]),
        row("EE", 0, event_types(True, START, END), TYPES, [GOLD_EVENT], ["start job"], **oslo),
        row("EET", 0, TYPES, TYPES, fill(*TYPES, start_job=["joined"]), ["start job"]),
        row(
            "EEA",
            0,
            event_types(["joined", "NAN"], START),
            ["start job"],
            {"start job": [STARTED, {"trigger": "NAN", "arguments": {}}]},
            ["start job"],
        ),
        row("EEA", 0, event_types(["joined"], START), ["start job"], [GOLD_EVENT], ["start job"], **oslo),
        row(
            "KG",
            0,
            [{"entity_type": "person", "attributes": ["works for", "born in"]}],
            ["person"],
            {"person": PEOPLE},
            ["person"],
        ),
        row(
            "KG",
            1,
            [{"entity_type": "organization", "attributes": ["seat"]}],
            ["organization"],
            {"organization": []},
        ),
    ]


def facts():
    return [
        {"id": f"clean/{KEY}/train", "split": "train", "manifest_rows": 2, "rows": 2},
        {"id": f"clean/{KEY}/test", "split": "test", "manifest_rows": 1, "rows": 1},
        {
            "id": "data/NER/train",
            "split": "train",
            "manifest_rows": 9,
            "rows": 9,
            "negatives": 5,
            "positives": 2,
            "negative_ratio": 2.5,
        },
    ]
