"""In every event source, an argument that cannot be located is lost alone: its event and the others are kept."""

import json

import pytest

from pipelines.sources import keys, load
from pipelines.sources.source_files import find
from schemas.errors import Reason
from schemas.example import Event, RawExample
from schemas.label import UnknownLabel
from transforms.files import list_files
from transforms.normalize import normalize


def rows(*values: dict) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


RAMS = rows(
    {
        "sentences": [["Ann", "hit", "Bo", "."], ["Cy", "hit", "Di", "."]],
        "evt_triggers": [
            [1, 1, [["life.injure.n/a", 1.0]]],
            [5, 5, [["life.injure.n/a", 1.0]]],
        ],
        "gold_evt_links": [
            [[1, 1], [0, 0], "evt1arg1injurer"],
            [[1, 1], [2, 2], "evt1arg2victim"],
            [[5, 5], [4, 4], "evt1arg1injurer"],
            [[5, 5], [6, 6], "evt1arg2victim"],
        ],
    }
)
WIKI = rows(
    {
        "sentences": [
            [[["Ann", 0, 3], ["died", 4, 8], [".", 8, 9]], "Ann died."],
            [[["Bo", 10, 12], ["died", 13, 17], [".", 17, 18]], "Bo died."],
        ],
        "entity_mentions": [
            {"id": "T1", "start": 0, "end": 1, "text": "Ann"},
            {"id": "T2", "start": 3, "end": 4, "text": "Bo"},
        ],
        "event_mentions": [
            {
                "event_type": "Life.Die.Unspecified",
                "trigger": {"start": start, "end": start + 1, "text": "died"},
                "arguments": [{"entity_id": name, "role": "Victim"}],
            }
            for start, name in ((1, "T1"), (4, "T2"))
        ],
    }
)
CRUDE = json.dumps(
    [
        {
            "words": ["Oil", "fell", "and", "gas", "fell", "."],
            "golden-event-mentions": [
                {
                    "event_type": "Movement-down-loss",
                    "trigger": {"start": at + 1, "end": at + 2, "text": "fell"},
                    "arguments": [{"start": at, "end": at + 1, "text": word, "role": "Item"}],
                }
                for at, word in ((0, "Oil"), (3, "gas"))
            ],
        }
    ]
)
CRUDE_BRAT = {
    "brat/1.txt": "Oil fell, gas fell.\n",
    "brat/1.ann": "T1\tItem 0 3\tOil\nT2\tMovement-down-loss 4 8\tfell\nT3\tItem 10 13\tgas\n"
    "T4\tMovement-down-loss 14 18\tfell\nE1\tMovement-down-loss:T2 Item:T1\nE2\tMovement-down-loss:T4 Item2:T3\n",
}


def phee_node(start: int, string: str) -> dict:
    return {"text": [[string]], "start": [[start]], "entity_id": ["T0"]}


PHEE = rows(
    {
        "context": "aa gave rash and bb gave croup, more croup.",
        "annotations": [
            {
                "events": [
                    {
                        "event_id": f"E{start}",
                        "event_type": "Adverse_event",
                        "Trigger": phee_node(start + 3, "gave"),
                        "Treatment": phee_node(start, drug),
                        "Effect": phee_node(start + 8, effect),
                    }
                    for start, drug, effect in ((0, "aa", "rash"), (17, "bb", "croup"))
                ]
            }
        ],
    }
)
PHEE_BRAT = {
    "train/1.txt": "aa gave rash and bb gave croup.\n",
    "train/1.ann": "T1\tTreatment 0 2\taa\nT2\tAdverse_event 3 7\tgave\nT3\tEffect 8 12\trash\n"
    "T4\tTreatment 17 19\tbb\nT5\tAdverse_event 20 24\tgave\nT6\tEffect 25 30\tcroup\n"
    "E1\tAdverse_event:T2 arg:T1 arg2:T3\nE2\tAdverse_event:T5 arg:T4 arg2:T6\n",
}
FEWFC = rows(
    {
        "content": "甲收购乙,丙收购丁。",
        "events": [
            {
                "type": "收购",
                "mentions": [
                    {"word": "收购", "span": [at + 1, at + 3], "role": "trigger"},
                    {"word": buyer, "span": [at, at + 1], "role": "sub-org"},
                    {"word": bought, "span": [at + 3, at + 4], "role": "obj-org"},
                ],
            }
            for at, buyer, bought in ((0, "甲", "乙"), (5, "丙", "丁"))
        ],
    }
)
DUEE = rows(
    {
        "text": "张三离职,李四离职。",
        "event_list": [
            {
                "event_type": "组织关系-辞/离职",
                "trigger": "离职",
                "trigger_start_index": at + 2,
                "arguments": [{"role": "离职者", "argument": who, "argument_start_index": at}],
            }
            for at, who in ((0, "张三"), (5, "李四"))
        ],
    }
)
CASIE = json.dumps(
    {
        "content": "Eve hit Dorn. Mal hit Zell.",
        "cyberevent": {
            "hopper": [
                {
                    "events": [
                        {
                            "type": "Attack",
                            "subtype": "Databreach",
                            "nugget": {"startOffset": at + 4, "endOffset": at + 7, "text": "hit"},
                            "argument": [
                                {
                                    "startOffset": at + 8,
                                    "endOffset": at + 12,
                                    "text": victim,
                                    "role": {"type": "Victim"},
                                }
                            ],
                        }
                    ]
                }
                for at, victim in ((0, "Dorn"), (14, "Zell"))
            ]
        },
    }
)


def charseq(start: int, string: str) -> str:
    return f'<charseq START="{start}" END="{start + len(string) - 1}">{string}</charseq>'


def ace_person(name: str, start: int, string: str) -> str:
    mark = charseq(start, string)
    mention = f'<entity_mention ID="{name}-1"><extent>{mark}</extent><head>{mark}</head></entity_mention>'
    return f'<entity ID="{name}" TYPE="PER">{mention}</entity>'


def ace_argument(tag: str, role: str, reference: str) -> str:
    return f'<{tag} REFID="{reference}" ROLE="{role}"/>'


def ace_death(start: int, *arguments: tuple[str, str]) -> str:
    inner = "".join(ace_argument("event_mention_argument", *argument) for argument in arguments)
    mention = f"<event_mention><anchor>{charseq(start, 'died')}</anchor>{inner}</event_mention>"
    return f'<event TYPE="Life" SUBTYPE="Die">{mention}</event>\n'


ACE = {
    "timex2norm/a.sgm": "<DOC><BODY>Ann died today. Bo died.</BODY></DOC>",
    "timex2norm/a.apf.xml": "<source_file><document>\n"
    + ace_person("E1", 0, "Ann")
    + ace_person("E2", 16, "Bo")
    + f'<timex2 ID="T1"><timex2_mention ID="T1-1"><extent>{charseq(9, "today")}</extent></timex2_mention></timex2>'
    + ace_death(4, ("Victim", "E1-1"), ("Time-Within", "T1-1"))
    + ace_death(19, ("Victim", "E2-1"))
    + "</document></source_file>",
}

DOCUMENTS = {  # source: (files, a string that occurs once, a replacement that breaks one argument, reason)
    "rams": ({"test.jsonl": RAMS}, "[[1, 1], [2, 2]", "[[1, 1], [2, 99]", Reason.OFFSET_MISMATCH),
    "rams negative": ({"test.jsonl": RAMS}, "[[1, 1], [2, 2]", "[[1, 1], [-3, 2]", Reason.OFFSET_MISMATCH),
    "rams no event": ({"test.jsonl": RAMS}, "[[1, 1], [2, 2]", "[[3, 3], [2, 2]", Reason.MISSING_FIELD),
    "wikievents": ({"test.jsonl": WIKI}, '"start": 3, "end": 4', '"start": 3, "end": 99', Reason.OFFSET_MISMATCH),
    "wikievents negative": ({"test.jsonl": WIKI}, '"start": 3', '"start": -3', Reason.OFFSET_MISMATCH),
    "wikievents no entity": ({"test.jsonl": WIKI}, '"entity_id": "T2"', '"entity_id": "T7"', Reason.MISSING_FIELD),
    "crudeoilnews": ({"a/1.json": CRUDE}, '"start": 3, "end": 4', '"start": 9, "end": 10', Reason.OFFSET_MISMATCH),
    "crudeoilnews brat": (CRUDE_BRAT, "Item 10 13", "Item 10 99", Reason.OFFSET_MISMATCH),
    "crudeoilnews brat negative": (CRUDE_BRAT, "Item 10 13", "Item -10 13", Reason.OFFSET_MISMATCH),
    "crudeoilnews brat cut": (CRUDE_BRAT, "\tgas\n", "\tga\n", Reason.OFFSET_MISMATCH),
    "crudeoilnews brat no line": (CRUDE_BRAT, "Item2:T3", "Item2:T8", Reason.MISSING_FIELD),
    "phee": ({"train.json": PHEE}, "[[25]]", "[[2500]]", Reason.OFFSET_MISMATCH),
    "phee negative": ({"train.json": PHEE}, "[[25]]", "[[-25]]", Reason.OFFSET_MISMATCH),
    "phee brat": (PHEE_BRAT, "Effect 25 30", "Effect 25 99", Reason.OFFSET_MISMATCH),
    "phee brat no event": (PHEE_BRAT, "arg:T4 arg2:T6", "arg:T4", Reason.MISSING_FIELD),
    "fewfc": ({"original/test.json": FEWFC}, "[8, 9]", "[80, 90]", Reason.OFFSET_MISMATCH),
    "fewfc negative": ({"original/test.json": FEWFC}, "[8, 9]", "[-8, 9]", Reason.OFFSET_MISMATCH),
    "duee1": ({"duee_train.json": DUEE}, '"argument": "李四"', '"argument": "王五"', Reason.OFFSET_MISMATCH),
    "casie": ({"1.json": CASIE}, '"startOffset": 22', '"startOffset": 2200', Reason.OFFSET_MISMATCH),
    "ace2005 time": (ACE, 'START="9" END="13"', 'START="9" END="999"', Reason.OFFSET_MISMATCH),
    "ace2005 no mention": (ACE, 'REFID="E2-1"', 'REFID="E9-1"', Reason.MISSING_FIELD),
    "ace2005 no reference": (ACE, 'REFID="E2-1" ', "", Reason.MISSING_FIELD),
}


@pytest.fixture
def read_one(tmp_path):
    def read(key: str, files: dict[str, str]) -> RawExample:
        """The only record of these files, normalized."""
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        source = load(key)
        source_files = find(source, list_files(str(tmp_path)))
        (record,) = (record for group in source_files.splits.values() for record in source_files.form.read(group))
        assert isinstance(record, RawExample), record
        record = normalize(record, source.entity_labels, source.relation_labels, source.event_labels, source.role_names)
        assert isinstance(record, RawExample), record
        return record

    return read


def event_without(whole: RawExample, bad: RawExample) -> Event:
    """The event that lost its argument."""
    (event,) = (event for event, before in zip(bad.events, whole.events, strict=True) if event != before)
    return event


@pytest.mark.parametrize("case", DOCUMENTS)
def test_an_argument_that_cannot_be_located_is_lost_alone(read_one, case):
    files, old, new, reason = DOCUMENTS[case]
    key = case.partition(" ")[0]
    whole = read_one(key, files)
    assert len(whole.events) == 2 and not whole.lost
    assert sum(content.count(old) for content in files.values()) == 1
    bad = read_one(key, {name: content.replace(old, new) for name, content in files.items()})
    assert bad.entities == whole.entities and bad.relations == whole.relations
    assert [(event.label, event.trigger) for event in bad.events] == [(e.label, e.trigger) for e in whole.events]
    kept, before = ([a for event in record.events for a in event.arguments] for record in (bad, whole))
    assert len(kept) == len(before) - 1 and set(kept) <= set(before)
    (lost,) = bad.lost
    assert lost.reason == reason
    label = UnknownLabel("events", event_without(whole, bad).label)
    assert label in bad.unknown_labels
    if case != "rams no event":  # the argument may be of any type that has its role
        assert set(bad.unknown_labels) <= {UnknownLabel("events", event.label) for event in whole.events}
    assert lost.place.rpartition(":")[0] in files and lost.place.rpartition(":")[2].isdecimal()


def test_every_source_whose_events_have_offsets_is_in_the_table():
    strings_alone = {"ccf_law", "duee_fin"}
    with_events = {key for key in keys() if "EE" in load(key).tasks and not key.startswith(("rams_", "wikievents_"))}
    assert {case.partition(" ")[0] for case in DOCUMENTS} == with_events - strings_alone


def test_an_ace_relation_without_a_mention_is_lost_alone(read_one):
    def relation(*references: str) -> str:
        inner = "".join(
            ace_argument("relation_mention_argument", f"Arg-{n}", name) for n, name in enumerate(references, 1)
        )
        return f'<relation TYPE="PER-SOC" SUBTYPE="Family"><relation_mention>{inner}</relation_mention></relation>\n'

    name = "timex2norm/a.apf.xml"
    end = "</document>"
    both = ACE[name].replace(end, relation("E1-1", "E2-1") + relation("E2-1", "E9-1") + end)
    record = read_one("ace2005", ACE | {name: both})
    assert [(r.head.text, r.tail.text) for r in record.relations] == [("Ann", "Bo")]
    assert len(record.events) == 2
    assert [lost.reason for lost in record.lost] == [Reason.MISSING_FIELD]
    assert record.unknown_labels == (UnknownLabel("relations", "family member"),)
