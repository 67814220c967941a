"""ACE 2005: the entities, relations and events of an annotated document, and the split of each file."""

from pipelines.sources import load
from pipelines.sources.datasets.ace2005 import EVENT_TYPES, to_example
from pipelines.sources.source_files import find
from schemas.example import Argument, Entity, Event, Mention, Relation
from transforms.files import File
from transforms.formats.ace import Document, Link, Marked
from transforms.normalize import normalize

SOURCE = load("ace2005")
TEXT = "The old mayor of Oslo fled on Monday; the old mayor was killed."


def mention(string: str, nth: int = 0) -> Mention:
    start = -1
    for _ in range(nth + 1):
        start = TEXT.index(string, start + 1)
    return Mention(string, ((start, start + len(string)),))


MENTIONS = {
    "p": Marked("PER", mention("The old mayor of Oslo"), mention("mayor")),
    "same": Marked("PER", mention("The old mayor of Oslo"), mention("mayor")),
    "other": Marked("PER", mention("the old mayor"), mention("mayor", 1)),
    "g": Marked("GPE", mention("Oslo"), mention("Oslo")),
    "t": Marked("TIMEX2", mention("Monday")),
}


def example(relations: tuple[Link, ...] = (), events: tuple[Link, ...] = ()):
    raw = to_example("f:1", Document(TEXT, MENTIONS, relations, events))
    return normalize(raw, SOURCE.entity_labels, SOURCE.relation_labels, SOURCE.event_labels, SOURCE.role_names)


def test_entities_are_unique_full_phrases_without_times():
    assert example().entities == (
        Entity("person", mention("The old mayor of Oslo"), "p"),
        Entity("person", mention("the old mayor"), "other"),
        Entity("geographical social political", mention("Oslo"), "g"),
    )


def test_relations_have_typed_heads_without_times_and_metonymy():
    record = example(
        relations=(
            Link("ORG-AFF.Employment", (("Arg-2", "g"), ("Time-Within", "t"), ("Arg-1", "same"))),
            Link("ORG-AFF.Employment", (("Arg-1", "p"), ("Arg-2", "g"))),
            Link("METONYMY", (("Arg-1", "p"), ("Arg-2", "g"))),
            Link("PHYS.Located", (("Arg-1", "p"), ("Time-Within", "t"))),
        )
    )
    types = "person", "geographical social political"
    assert record.relations == (Relation("employment", mention("mayor"), mention("Oslo"), *types, "p", "g"),)


def test_events_have_heads_one_time_role_and_corrected_roles():
    record = example(
        events=(
            Link("Movement.Transport", (("Artifact", "p"), ("Origin", "g"), ("Time-Starting", "t")), mention("fled")),
            Link("Life.Die", (("Person", "other"), ("Victim", "other")), mention("killed")),
        )
    )
    assert record.events == (
        Event(
            "transport",
            mention("fled"),
            (
                Argument("artifact", mention("mayor"), "p"),
                Argument("origin", mention("Oslo"), "g"),
                Argument("time", mention("Monday")),
            ),
        ),
        Event("die", mention("killed"), (Argument("victim", mention("mayor", 1), "other"),)),
    )


def test_the_published_label_sets():
    assert len(EVENT_TYPES) == 33
    assert len({role for label in SOURCE.event_labels.values() for role in label.role_names}) == 28
    assert len([label for label in SOURCE.relation_labels.values() if label]) == 18
    assert (SOURCE.name_for("NER"), SOURCE.name_for("EE"), SOURCE.name_for("EEA")) == ("ACE2005", "ACE05", "ACE05")


def files(*names: str) -> list[File]:
    return [File(f"/x/{name}", name) for name in names]


def both(stem: str) -> list[File]:
    return files(f"{stem}.apf.xml", f"{stem}.sgm")


def test_the_final_annotation_is_read_and_split_by_document():
    source_files = find(
        SOURCE,
        both("English/nw/timex2norm/AFP_ENG_20030401.0476")
        + both("English/nw/adj/AFP_ENG_20030401.0476")
        + both("English/nw/fp1/AFP_ENG_20030401.0476")
        + both("English/bc/timex2norm/CNN_IP_20030402.1600.00-1")
        + both("English/bc/timex2norm/CNN_IP_20030402.1600.00-2")
        + both("Chinese/nw/timex2norm/XIN20001003.0800.0068")
        + files("English/nw/timex2norm/AFP_ENG_20030401.0476.ag.xml"),
    )
    assert {split: [file.name.split("/", 2)[2] for file in group] for split, group in source_files.splits.items()} == {
        "test": ["timex2norm/AFP_ENG_20030401.0476.apf.xml", "timex2norm/AFP_ENG_20030401.0476.sgm"],
        "validation": ["timex2norm/CNN_IP_20030402.1600.00-1.apf.xml", "timex2norm/CNN_IP_20030402.1600.00-1.sgm"],
        "train": ["timex2norm/CNN_IP_20030402.1600.00-2.apf.xml", "timex2norm/CNN_IP_20030402.1600.00-2.sgm"],
    }
    assert {file.name for file in source_files.ignored} == {
        file.name for file in both("English/nw/adj/AFP_ENG_20030401.0476")
    }


def test_documents_without_their_folder_are_read():
    source_files = find(SOURCE, both("AFP_ENG_20030304.0250") + both("fp2/AFP_ENG_20030304.0250"))
    assert {split: len(group) for split, group in source_files.splits.items()} == {"validation": 2}
