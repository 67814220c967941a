"""Event sources in JSON: the events of a row, the files that are read, and the reasons for rejecting a row."""

import json

import pytest

from pipelines.sources import keys, load
from pipelines.sources.source_files import find
from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Event, Mention
from transforms.files import list_files
from transforms.normalize import normalize


@pytest.fixture
def read(tmp_path):
    """Reads files (name → rows, a value or a string) of a source; returns the normalized records of each split."""

    def read_files(key: str, files: dict) -> dict[str, list]:
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            if name.lower().endswith((".ann", ".txt")):
                data = content
            elif isinstance(content, list) and "annotations/" not in name:
                data = "\n".join(map(json.dumps, content))
            else:
                data = json.dumps(content)
            (tmp_path / name).write_text(data)
        source = load(key)
        source_files = find(source, list_files(str(tmp_path)))
        maps = source.entity_labels, source.relation_labels, source.event_labels, source.role_names
        return {
            split: [r if isinstance(r, BadRecord) else normalize(r, *maps) for r in source_files.form.read(group)]
            for split, group in source_files.splits.items()
        }

    return read_files


def at(text: str, string: str) -> Mention:
    return Mention(string, ((text.index(string), text.index(string) + len(string)),))


def only(splits: dict[str, list]):
    ((record,),) = splits.values()
    return record


# RAMS


def window(label: str, trigger: int, *links) -> dict:
    return {
        "sentences": [["He", "ran", "."], ["Rain", "cut", "the", "road", "."]],
        "evt_triggers": [[trigger, trigger, [[label, 1.0]]]],
        "gold_evt_links": [[[trigger, trigger], span, role] for span, role in links],
    }


DAMAGE = window(
    "artifactexistence.damagedestroy.damage", 4, ([5, 6], "evt002arg02artifact"), ([3, 3], "evt2arg1damager")
)
RUN = window("movement.transportperson.selfmotion", 1)
RAMS_TEXT = "He ran . Rain cut the road ."


def test_rams_spans_are_inclusive_token_numbers_of_the_window(read):
    record = only(read("rams", {"data/test.jsonlines": [DAMAGE]}))
    assert record.text == RAMS_TEXT
    arguments = Argument("artifact", at(RAMS_TEXT, "the road")), Argument("damager", at(RAMS_TEXT, "Rain"))
    assert record.events == (Event("damage", at(RAMS_TEXT, "cut"), arguments),)


def test_rams_joined_words_of_roles_are_separated(read):
    row = window("justice.judicialconsequences.n/a", 4, ([3, 3], "evt101arg01judgecourt"))
    assert only(read("rams", {"test.jsonlines": [row]})).events[0].arguments[0].role == "judge or court"


def test_a_rams_family_has_the_windows_of_its_events(read):
    files = {"test.jsonlines": [DAMAGE, RUN, {"sentences": [["No", "one", "."]]}]}
    assert [[e.label for e in r.events or ()] for r in read("rams_movement", files)["test"]] == [["self motion"], []]
    assert [r.events for r in read("rams_life", files)["test"]] == [None]
    families = [load(key).event_labels for key in keys() if key.startswith("rams_")]
    assert len(families) == 12
    assert {raw: label for family in families for raw, label in family.items()} == load("rams").event_labels
    assert sum(map(len, families)) == len(load("rams").event_labels) == 139


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (window("life.die.n/a", 8), Reason.OFFSET_MISMATCH),
        (window("life.die.n/a", -1), Reason.OFFSET_MISMATCH),
        (window("life.die.n/a", 1, ([0, 0], "evt1arg1killer")), Reason.UNKNOWN_LABEL),
        (window("life.flourish", 1), Reason.UNKNOWN_LABEL),
        (RUN | {"evt_triggers": [[1, 1, []]]}, Reason.MISSING_FIELD),
    ],
)
def test_bad_rows_of_rams_are_rejected(read, row, reason):
    assert only(read("rams", {"test.jsonlines": [row]})).reason == reason


# WikiEvents


def article(**changes) -> dict:
    """Two sentences with a gap of four characters, then one after a single character; `text` has no gaps."""
    return {
        "doc_id": "d",
        "tokens": ["Flood", "in", "Arl", "It", "killed", "two", ".", '"', "Go", "!"],
        "text": 'Flood in ArlIt killed two."Go!',
        "sentences": [
            [[["Flood", 0, 5], ["in", 6, 8], ["Arl", 9, 12]], "Flood in Arl"],
            [[["It", 16, 18], ["killed", 19, 25], ["two", 26, 29], [".", 29, 30]], "It killed two."],
            [[['"', 31, 32], ["Go", 32, 34], ["!", 34, 35]], '"Go!'],
        ],
        "entity_mentions": [
            {"id": "d-T1", "sent_idx": 0, "start": 2, "end": 3, "text": "Arl"},
            {"id": "d-T2", "sent_idx": 1, "start": 5, "end": 6, "text": "two"},
        ],
        "event_mentions": [
            {
                "event_type": "Life.Die.Unspecified",
                "trigger": {"start": 4, "end": 5, "text": "killed", "sent_idx": 1},
                "arguments": [
                    {"entity_id": "d-T2", "role": "Victim", "text": "two"},
                    {"entity_id": "d-T1", "role": "Place", "text": "Arl"},
                ],
            }
        ],
    } | changes


def killed_at(start: int, end: int) -> dict:
    (event,) = article()["event_mentions"]
    return {"event_mentions": [event | {"trigger": event["trigger"] | {"start": start, "end": end}}]}


WIKI_TEXT = 'Flood in Arl\nIt killed two. "Go!'


def test_wikievents_gaps_between_sentences_are_restored(read):
    record = only(read("wikievents", {"test.jsonl": [article()]}))
    assert record.text == WIKI_TEXT
    arguments = Argument("victim", at(WIKI_TEXT, "two")), Argument("place", at(WIKI_TEXT, "Arl"))
    assert record.events == (Event("die", at(WIKI_TEXT, "killed"), arguments),)


def test_wikievents_files_of_other_tasks_are_not_read(read):
    files = {"test.jsonl": [article()], "test_info.jsonl": [article()], "coref/test.jsonlines": [article()]}
    assert len(read("wikievents", files)["test"]) == 1


def test_a_wikievents_family_has_all_documents(read):
    files = {"dev.jsonl": [article(), article(event_mentions=None)]}
    assert [r.events for r in read("wikievents_justice", files)["test"]] == [(), None]
    assert [len(r.events or ()) for r in read("wikievents_life", files)["test"]] == [1, 0]
    families = [load(key).event_labels for key in keys() if key.startswith("wikievents_")]
    assert sum(map(len, families)) == len(load("wikievents").event_labels) == 60


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sentences": [[[["Flood", 0, 5], ["in", 5, 7]], "Flood in"]]}, Reason.OFFSET_MISMATCH),
        (killed_at(4, 99), Reason.OFFSET_MISMATCH),
        (killed_at(-6, 5), Reason.OFFSET_MISMATCH),
        (killed_at(4, 4), Reason.OFFSET_MISMATCH),
        ({"entity_mentions": [{"id": "d-T1", "end": 1, "text": "Arl"}]}, Reason.MISSING_FIELD),
    ],
)
def test_bad_rows_of_wikievents_are_rejected(read, changes, reason):
    assert only(read("wikievents", {"test.jsonl": [article(**changes)]})).reason == reason


# CASIE


def span(text: str, string: str, shift: int = 0, **more) -> dict:
    start = text.index(string) + shift
    return {"startOffset": start, "endOffset": start + len(string), "text": string, "index": "T1"} | more


def test_casie_nuggets_are_events_even_with_shifted_offsets(read):
    text = "Thieves hit Dorn. The theft hurt."
    nugget = {"type": "Attack", "subtype": "Databreach", "realis": "Actual", "index": "E1"}
    thieves = span(text, "Thieves", 0, type="Person", role={"type": "Attacker", "confidence": 1})
    dorn = span(text, "Dorn", 2, type="Organization", role={"type": "Victim"}, external_reference={})
    hopper = [
        {"index": 0, "events": [nugget | {"nugget": span(text, "hit", 1), "argument": [thieves, dorn]}]},
        {"index": 1, "events": [nugget | {"nugget": span(text, "The theft", 1)}]},
    ]
    row = {"sourcefile": "1.txt", "content": text + " </text>", "cyberevent": {"hopper": hopper}}
    (record,) = read("casie", {"annotation/1.json": row, "source/1.txt": text})["all"]
    assert record.text.strip() == text
    arguments = Argument("attacker", at(text, "Thieves")), Argument("victim", at(text, "Dorn"))
    assert record.events == (
        Event("data breach", at(text, "hit"), arguments),
        Event("data breach", at(text, "The theft")),
    )
    pairs = sum(len(label.roles) for label in load("casie").event_labels.values())
    assert pairs == 48


# DuEE-Fin


def test_duee_fin_documents_without_events_are_annotated(read):
    event = {"event_type": "公司上市", "trigger": "", "arguments": [{"role": "环节", "argument": "正式上市"}]}
    labelled = [{"text": "甲公司今日登陆主板", "event_list": [event]}, {"text": "今日无事发生", "id": "1"}]
    splits = read(
        "duee_fin",
        {
            "duee_fin_dev.json/duee_fin_dev.json": labelled,
            "duee_fin_test2.json": [{"text": "乙公司", "id": "2", "title": "乙"}],
            "duee_fin_event_schema.json": [{"event_type": "公司上市", "role_list": []}],
        },
    )
    assert [record.events for record in splits["validation"]] == [
        (Event("公司上市", None, (Argument("环节", Mention("正式上市")),)),),
        (),
    ]
    assert [record.events for record in splits["test"]] == [None]
    assert sum(len(label.roles) for label in load("duee_fin").event_labels.values()) == 92


# CrudeOilNews


def sentence(words: str, trigger: list, *arguments: list, label: str = "Movement-down-loss") -> dict:
    """`trigger`: [start, end, string]; `arguments`: [start, end, string, role]."""
    keys = ("start", "end", "text", "role")
    event = {
        "event_type": label,
        "trigger": dict(zip(keys, trigger, strict=False)),
        "arguments": [dict(zip(keys, argument, strict=True)) for argument in arguments],
    }
    return {"words": words.split(), "golden-event-mentions": [event]}


CRUDE = "Oil fell 3.7 % to $ 60 -LRB- a barrel -RRB-"
FELL = sentence(
    CRUDE,
    [1, 2, "fell"],
    [0, 1, "Oil", "Item2"],
    [2, 3, "3.7%", "Difference"],
    [5, 10, "$60 (a barrel)", "Final_value"],
)


def test_crudeoilnews_mentions_cover_all_their_tokens(read):
    record = only(read("crudeoilnews", {"annotations/Gold-standard/1_a.json": [FELL]}))
    assert record.text == "Oil fell 3.7 % to $ 60 ( a barrel )"
    (event,) = record.events
    assert (event.label, event.trigger.text) == ("movement down or loss", "fell")
    assert [(a.role, a.mention.text) for a in event.arguments] == [
        ("item", "Oil"),
        ("difference", "3.7 %"),
        ("final value", "$ 60 ( a barrel )"),
    ]


def test_crudeoilnews_case_and_numbers_of_names_are_ignored(read):
    row = sentence("It hit Oslo", [1, 2, "hit"], [2, 3, "Oslo", "IMPACTED_COUNTRIES3"], label="GEOPOLITICAL-TENSION")
    (event,) = only(read("crudeoilnews", {"annotations/Gold-standard/1_a.json": [row]})).events
    assert (event.label, event.arguments[0].role) == ("geopolitical tension", "impacted countries")


def test_crudeoilnews_test_files_are_those_of_the_test_folder(read):
    folder = "annotations/Gold-standard"
    files = {f"{folder}/10_a-test-of-OPEC.json": [FELL], "annotations/Active Learning/1.json": [FELL, FELL]}
    assert len(read("crudeoilnews", files)["test"]) == 1
    files[f"{folder}/Test Set_ADJ/1_a.json"] = [FELL, {"words": ["Still", "."], "golden-event-mentions": []}]
    assert [len(record.events) for record in read("crudeoilnews", files)["test"]] == [1, 0]


def test_crudeoilnews_brat_articles_have_the_same_events(read):
    text = "Oil fell.\nThe crisis worsened.\n"
    lines = [
        "T1\tCommodity 0 3\tOil",
        "T2\tMovement-down-loss 4 8\tfell",
        "E1\tMovement-down-loss:T2 Item2:T1 Modality_cue:T1",
        "T3\tSituation_deteriorate 21 29\tworsened",
        "E2\tSituation_deteriorate:T3",
    ]
    record = only(read("crudeoilnews", {"brat/_2_OIL~1.TXT": text, "brat/_2_OIL~1.ANN": "\n".join(lines)}))
    assert record.events == (Event("movement down or loss", at(text, "fell"), (Argument("item", at(text, "Oil")),)),)


# FewFC


def test_fewfc_role_codes_depend_on_the_event_type(read):
    text = "甲中标乙项目;甲收购丙"

    def event(name: str, *parts: tuple[str, str]) -> dict:
        mentions = [{"word": word, "span": list(at(text, word).spans[0]), "role": role} for word, role in parts]
        return {"type": name, "mentions": mentions}

    events = [
        event("中标", ("甲", "sub"), ("中标", "trigger"), ("乙", "obj")),
        event("收购", ("收购", "trigger"), ("丙", "obj-org")),
    ]
    splits = read(
        "fewfc",
        {
            "original/test_trans.json": [
                {"id": "1", "content": text, "events": events},
                {"content": text, "events": []},
            ],
            "rearranged/dev_trans.json": [{"content": text, "events": events}],
            "rearranged/test_trans.json": [{"content": text, "events": events}],
        },
    )
    assert [record.events for record in splits["test"]] == [
        (
            Event("中标", at(text, "中标"), (Argument("中标方", at(text, "甲")), Argument("招标方", at(text, "乙")))),
            Event("收购", at(text, "收购"), (Argument("被收购机构", at(text, "丙")),)),
        ),
        (),
    ]


@pytest.mark.parametrize("roles", [["sub"], ["trigger", "trigger"]])
def test_fewfc_an_event_has_one_trigger(read, roles):
    mentions = [{"word": "甲", "span": [0, 1], "role": role} for role in roles]
    row = {"content": "甲中标", "events": [{"type": "中标", "mentions": mentions}]}
    assert only(read("fewfc", {"original/test_trans.json": [row]})).reason == Reason.BROKEN_RECORD


# CCF law


def test_ccf_law_empty_strings_are_no_arguments(read):
    event = {
        "trigger": "生育   ",
        "event_type": "Be_Born",
        "argument": [{"per": "石磊", "time": "", "loc": " "}],
    }
    stray = {"trigger": "同居", "event_type": "Cohabit", "argument": [{"man": "甲", "wife": "乙"}]}
    splits = read(
        "ccf_law",
        {
            "train_dataset.json": [{"text": "育有一子石磊", "event_chain": [event]}],
            "dev_dataset.json": [{"text": "甲与乙同居", "event_chain": [stray]}],
            "test_dataset.json": [{"id": 9, "text": "无标注"}],
        },
    )
    assert sorted(splits) == ["test"]
    assert [record.events for record in splits["test"]] == [
        (Event("同居", Mention("同居"), (Argument("丈夫", Mention("甲")), Argument("妻子", Mention("乙")))),),
        None,
        (Event("出生", Mention("生育"), (Argument("出生者", Mention("石磊")),)),),
    ]
