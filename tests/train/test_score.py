"""Scores of every task agree with values worked out by hand, and gold scores 1 against itself."""

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.example import SPLITS, TASKS
from schemas.label import Label, named_roles, typed_label
from tests.rows import instructions
from tests.strategies import examples
from tests.train.predicted import entities, event, row, triple, write
from train.score import score
from transforms import prompts
from transforms.ask import AskOptions


def scored(tmp_path, rows, by=("task",), **options):
    """The rows of the first table."""
    options = {"draws": 0, **options}
    report = score([write(tmp_path / "predictions.jsonl", rows)], by=[by], **options)
    return report.tables[0].rows


def counts(rows):
    """measure → (gold, predicted, right)"""
    return {result.measure: (result.gold, result.predicted, result.right) for result in rows}


NER_GOLD = entities(ship=["Ada", "Bo"], place=["Coal Quay", "Low Water"])
RE_GOLD = [triple("Ada", "left", "Coal Quay"), triple("Ada", "sails to", "Low Water"), triple("Bo", "at", "Coal Quay")]
SPO_GOLD = [
    triple("Ada", "left", "Coal Quay", "ship", "quay"),
    triple("Ada", "left", "Monday", "ship", "day"),
]
EE_GOLD = [
    event("leave", "left", ship=["Ada"], cargo=["coal", "tin"], time=["Monday"]),
    event("stay", "stayed", ship=["Bo"]),
    event("leave", "", ship=["Ada"]),
]
KG_GOLD = [triple("Ada", "port", "Coal Quay"), triple("Ada", "cargo", "coal"), triple("Ada", "cargo", "tin")]

CASES = {
    # task: gold, [(labels, answer)], measure → (gold, predicted, right) counting repetitions, and without
    "NER": (
        NER_GOLD,
        [
            (["place"], {"place": ["Coal Quay", "Coal Quay", "Low"]}),
            (["ship"], {"ship": ["Ada", "Tug"]}),
        ],
        {"entity": (4, 5, 2)},
        {"entity": (4, 4, 2)},
    ),
    "RE": (
        RE_GOLD,
        [
            (["left", "at"], {"left": [{"subject": "Ada", "object": "Coal Quay"}], "at": [{"subject": "Bo"}]}),
            (["sails to"], {"sails to": [{"subject": "Low Water", "object": "Ada"}] * 2}),
        ],
        {"relation": (3, 3, 1)},
        {"relation": (3, 2, 1)},
    ),
    "SPO": (
        SPO_GOLD,
        [
            (["ship_left_quay"], {"left": [{"subject": "Ada", "object": "Coal Quay"}]}),
            (["ship_left_day"], {"left": [{"subject": "Ada", "object": "Coal Quay"}]}),
        ],
        {"relation": (2, 2, 1)},
        {"relation": (2, 2, 1)},
    ),
    "EE": (
        EE_GOLD,
        [
            (
                ["leave"],
                {
                    "leave": [
                        {"trigger": "left", "arguments": {"ship": "Ada", "cargo": ["coal", "iron"], "time": "NAN"}},
                        {"trigger": "NAN", "arguments": {"ship": "Ada", "cargo": "NAN", "time": "NAN"}},
                    ]
                },
            ),
            (["stay"], {"stay": [{"trigger": "stayed", "arguments": {"ship": "Ada"}}]}),
        ],
        {"event": (3, 3, 3), "argument": (6, 5, 3)},
        {"event": (3, 3, 3), "argument": (5, 4, 2)},
    ),
    "EET": (
        [event("leave", "left", ship=["Ada"]), event("leave", "left", ship=["Bo"]), event("stay", "")],
        [(["leave", "stay"], {"leave": ["left", "left", "left"], "stay": ["NAN", "stayed"]})],
        {"event": (2, 4, 2)},
        {"event": (1, 2, 1)},
    ),
    "EEA": (
        EE_GOLD,
        [
            (["leave"], {"leave": [{"trigger": "left", "arguments": {"ship": "Ada", "cargo": "coal", "time": "tin"}}]}),
            (["stay"], {"stay": [{"trigger": "", "arguments": {"ship": ["Bo", "Ada"]}}]}),
        ],
        {"argument": (6, 5, 3)},
        {"argument": (5, 5, 3)},
    ),
    "KG": (
        KG_GOLD,
        [
            (["ship"], {"ship": {"Ada": {"port": "Coal Quay", "cargo": ["coal", "coal"]}}}),
            (["ferry"], {"ferry": {"Ada": {"port": "Coal Quay"}, "Bo": {"cargo": "tin"}}}),
        ],
        {"relation": (3, 4, 2)},
        {"relation": (3, 3, 2)},
    ),
}


@pytest.mark.parametrize("task", TASKS)
def test_counts_by_hand(task, tmp_path):
    gold, answers, normal, as_set = CASES[task]
    rows = [row(task, labels, answer, gold, batch=n) for n, (labels, answer) in enumerate(answers)]
    assert counts(scored(tmp_path, rows, match="normal")) == normal
    assert counts(scored(tmp_path, rows, match="set")) == as_set


def test_figures_by_hand(tmp_path):
    """NER above: right 2 of 5 predicted and of 4 gold; by label: place 1 of 3 and 2, ship 1 of 2 and 2."""
    gold, answers, _, _ = CASES["NER"]
    (result,) = scored(tmp_path, [row("NER", *answer, gold, batch=n) for n, answer in enumerate(answers)])
    assert result.figures == pytest.approx((2 / 5, 2 / 4, 4 / 9))
    assert result.macro == pytest.approx(((1 / 3 + 1 / 2) / 2, (1 / 2 + 1 / 2) / 2, (2 / 5 + 1 / 2) / 2))
    # "Low" overlaps "Low Water": worth a half
    assert result.overlap == pytest.approx((2.5 / 5, 2.5 / 4, 5 / 9))
    assert {kind: n for kind, n in result.wrong.items() if n} == {"repeated": 1, "boundary": 1, "hallucinated": 1}
    assert {kind: n for kind, n in result.missed.items() if n} == {"boundary": 1, "not found": 1}


def test_by_source_label_and_split(tmp_path):
    rows = [
        row("NER", ["ship"], {"ship": ["Ada"]}, entities(ship=["Ada"]), 0),
        row("NER", ["ship"], {"ship": ["Bo"]}, entities(ship=["Ada"], place=["Low Water"]), 1, source="Docks"),
        row("NER", ["ship"], {"ship": []}, entities(), 2, source="Docks", split="validation"),
    ]
    result = {tuple(r.group.values()): (r.texts, *r.figures) for r in scored(tmp_path, rows, ("source", "split"))}
    assert result == {
        ("NER", "Docks", "test"): (1, 0, 0, 0),
        ("NER", "Docks", "validation"): (1, None, None, None),
        ("NER", "Harbour", "test"): (1, 1, 1, 1),
    }
    by_label = {r.group["label"]: (r.texts, *r.figures) for r in scored(tmp_path, rows, ("label",))}
    assert by_label == {"place": (3, None, 0, 0), "ship": (3, 0.5, 0.5, 0.5)}
    (whole,) = scored(tmp_path, rows)
    assert whole.figures == pytest.approx((1 / 2, 1 / 3, 2 / 5))
    # the ships of two sources are two labels: F1 of Harbour's ship 1, of Docks' ship and place 0
    assert whole.macro[2] == pytest.approx(1 / 3)


def test_a_trigger_of_two_events_may_be_named_once_or_twice(tmp_path):
    gold = CASES["EET"][0]
    for times in (1, 2):
        result = scored(tmp_path, [row("EET", ["leave"], {"leave": ["left"] * times}, gold)])
        assert counts(result) == {"event": (times, times, times)}


def test_unparseable_answers_predict_nothing(tmp_path):
    rows = [
        row("NER", ["ship"], '{"ship": ["Ada"', NER_GOLD, batch=0),
        row("NER", ["place"], {"place": ["Low Water"]}, NER_GOLD, batch=1),
    ]
    (result,) = scored(tmp_path, rows)
    assert (result.gold, result.predicted, result.right) == (4, 1, 1)
    assert result.missed["unparseable"] == 3
    assert result.answers["unparseable"] == 1


def test_rouge_without_gold(tmp_path):
    """If there is no gold, an empty answer is right and an unparseable one is not."""
    rows = [row("NER", ["ship"], {"ship": []}, [], 0), row("NER", ["ship"], "no ships", [], 1)]
    (result,) = scored(tmp_path, rows)
    assert (result.rouge_2, result.figures, result.combined) == (0.5, (None, None, None), None)


def test_chinese_is_compared_by_characters(tmp_path):
    """Predicted 城市 江城, gold 城市 江城市: of bigrams 城市 市江 江城 and 城市 市江 江城 城市 three are common."""
    gold = [{"entity": "江城市", "entity_type": "城市"}]
    made = row("NER", ["城市"], {"城市": ["江城"]}, gold, text="船到江城市。")
    del made["lang"]  # follows from the script of the text
    (result,) = scored(tmp_path, [made])
    assert result.rouge_2 == pytest.approx(2 * 3 / (3 + 4))
    assert result.wrong["boundary"] == 1


@pytest.mark.parametrize(
    ("text", "rouge"),
    [
        ("船 Ada Lund 号到江城市。", 2 / 3),  # 6 of 13 letters are Han: Latin words are compared by characters
        ("The ship Ada Lund came to 江城市 in May.", 4 / 5),  # 3 of 29: Latin words are compared as words
        ("The ship Ada Lund came；１。", 4 / 5),
    ],
)
def test_a_text_is_chinese_if_a_fifth_of_its_letters_are_han(tmp_path, text, rouge):
    made = row("NER", ["船名"], {"船名": ["Ada"]}, [{"entity": "Ada Lund", "entity_type": "船名"}], text=text)
    del made["lang"]
    (result,) = scored(tmp_path, [made])
    assert result.rouge_2 == pytest.approx(rouge)


def test_repair_is_a_second_table(tmp_path):
    rows = [row("NER", ["ship"], '```json\n{"ship": ["Ada", "Bo"', NER_GOLD), row("NER", [], "no idea", NER_GOLD, 1)]
    report = score([write(tmp_path / "p.jsonl", rows)], repair=True, draws=0)
    assert report.total.right == 0
    assert report.repaired_total.right == 2
    assert report.repaired_total.answers["repaired"] == 1
    assert report.repaired_total.answers["unparseable"] == 2


def test_unrequested_labels_are_scored_and_counted(tmp_path):
    """As in the published scorer: an item of gold is right in the answer to any batch, but only once."""
    rows = [
        row("NER", ["ship"], {"ship": ["Ada"], "place": ["Low Water"]}, NER_GOLD, batch=0),
        row("NER", ["place"], {"place": ["Low Water"], "crew": ["Monday"]}, NER_GOLD, batch=1),
    ]
    (result,) = scored(tmp_path, rows)
    assert (result.predicted, result.right) == (4, 2)
    assert result.answers["not_asked"] == 2
    assert result.wrong["repeated"] == 1


def test_gold_may_be_the_answer_of_each_batch(tmp_path):
    """In train and validation rows, gold is the answer of the batch, a JSON object."""
    rows = [
        row("EE", ["leave"], {"leave": []}, CASES["EE"][1][0][1], batch=0, split="validation"),
        row("EE", ["stay"], CASES["EE"][1][1][1], CASES["EE"][1][1][1], batch=1, split="validation"),
    ]
    assert counts(scored(tmp_path, rows)) == {"event": (3, 1, 1), "argument": (5, 1, 1)}


def test_iepile_rows(tmp_path):
    """Without example_id, labels, lang and split, rows with one id are one text."""
    rows = []
    for number in range(2):
        for batch, (labels, answer) in enumerate(CASES["SPO"][1]):
            whole = row("SPO", labels, answer, SPO_GOLD, number, batch)
            rows.append({key: whole[key] for key in ("task", "source", "instruction", "label", "output")})
            rows[-1]["id"] = f"{number:064x}"
    assert counts(scored(tmp_path, rows)) == {"relation": (4, 4, 2)}
    bare = [{key: row[key] for key in ("id", "instruction", "label", "output")} for row in rows]
    assert counts(scored(tmp_path, bare, task="SPO")) == {"relation": (4, 4, 2)}

    (result,) = scored(tmp_path, rows, ("source", "split"))
    assert result.group == {"task": "SPO", "source": "Harbour", "split": "test"}
    assert result.texts == 2


def test_instruction_and_label_may_be_json_values(tmp_path):
    made = row("NER", ["ship", "place"], {"ship": ["Ada"], "place": []}, NER_GOLD)
    plain = {**made, "instruction": json.loads(made["instruction"]), "label": NER_GOLD}
    assert counts(scored(tmp_path, [plain])) == counts(scored(tmp_path, [made])) == {"entity": (4, 1, 1)}


def test_gold_from_another_file(tmp_path):
    whole = [row("NER", ["ship"], {"ship": ["Ada"]}, entities(ship=["Ada"]), n) for n in range(3)]
    gold = write(tmp_path / "gold.jsonl", [{**r, "output": None} for r in whole])
    bare = [{"id": r["id"], "output": r["output"]} for r in reversed(whole)]
    report = score([write(tmp_path / "p.jsonl", bare)], gold=gold, draws=0)
    assert report.total.figures == (1, 1, 1)


def test_gold_rows_with_repeated_ids_are_matched_in_order(tmp_path):
    """The n-th prediction of an id belongs to the n-th gold row of that id; train rows have gold in `output`."""
    gold = [
        {"id": "a", "task": "NER", "source": "S", "instruction": r["instruction"], "output": r["output"]}
        for r in (row("NER", [label], {label: [label]}, None) for label in ("ship", "place"))
    ]
    bare = [{"id": "a", "output": '{"ship": ["ship"]}'}, {"id": "a", "output": '{"place": ["ship"]}'}]
    gold_file = write(tmp_path / "gold.jsonl", gold)
    report = score([write(tmp_path / "p.jsonl", bare)], gold=gold_file, draws=0)
    assert report.total.figures == (0.5, 0.5, 0.5)


def test_runs_give_mean_and_spread(tmp_path):
    """Two of two, one of two, none of two right: F1 1, 0.5 and 0."""
    paths = []
    for number, ships in enumerate((["Ada", "Bo"], ["Ada", "Tin"], ["Tug", "Tin"])):
        rows = [row("NER", ["ship"], {"ship": ships}, entities(ship=["Ada", "Bo"]))]
        paths.append(write(tmp_path / f"{number}.jsonl", rows))
    report = score(paths, draws=200)
    (result,) = report.tables[0].rows
    assert [run[2] for run in result.runs] == [1, 0.5, 0]
    assert result.figures == (0.5, 0.5, 0.5)
    assert result.spread == pytest.approx(0.5)
    assert result.intervals[2][0] < 0.5 < result.intervals[2][1]  # the runs are resampled


def test_runs_may_have_rows_in_any_order(tmp_path):
    rows = [row("NER", ["ship"], {"ship": ["Ada"]}, entities(ship=["Ada"]), n, source=f"S{n}") for n in range(4)]
    paths = [write(tmp_path / "a.jsonl", rows), write(tmp_path / "b.jsonl", rows[::-1])]
    assert all(r.figures == (1, 1, 1) for r in score(paths, by=[("source",)], draws=0).tables[0].rows)


def test_the_word_nan_is_no_gold_that_an_answer_can_miss(tmp_path):
    """A text may contain the string `NAN`, which an answer cannot give as an argument, a value or a lone trigger."""
    event = {"event_type": "sail", "event_trigger": "NAN", "arguments": [{"argument": "NAN", "role": "ship"}]}
    triple = {"head": "Ada", "head_type": "ship", "relation": "port", "tail": "NAN"}
    other = {**triple, "tail": "Bergen"}
    for kind, gold, answer in (
        ("EE", [event], {"sail": []}),
        ("EEA", [event], {"sail": []}),
        ("KG", [triple, other], {"ship": {"Ada": {"port": ["NAN", "Bergen"]}}}),
        ("KG", [triple, {**other, "head_type": None}], {"ship": {"Ada": {"port": ["NAN", "Bergen"]}}}),
    ):
        (label,) = answer
        expected = (1, 1, 1) if kind == "KG" else (0, 0, 0)
        assert set(counts(scored(tmp_path, [row(kind, [label], answer, gold)])).values()) <= {expected}


NAMES = ("drug", "disease", "地点")
LABELS = {
    "NER": [Label(name) for name in NAMES],
    "RE": [Label(name) for name in NAMES],
    "SPO": [typed_label(*types) for types in product(NAMES, repeat=3)],
    "KG": [Label(name, roles=named_roles(NAMES)) for name in NAMES],
}
EVENTS = [Label(name, roles=named_roles(("agent", "time", "对象"))) for name in NAMES]
"""All labels that `examples` may use."""

PROMPTS = prompts.load()


@settings(max_examples=60)
@given(drawn=st.lists(examples(), min_size=1, max_size=3), task=st.sampled_from(TASKS), whole=st.booleans())
def test_rendered_gold_scores_1(tmp_path_factory, drawn, task, whole):
    """The answers of a build, scored against its annotations or themselves, with any label order and batches."""
    rows = []
    for number, example in enumerate(drawn):
        one_each = AskOptions(split_num={task: 1}, negative_ratio=100, labels_without_positive=-1)
        arguments = (task, LABELS.get(task, EVENTS), None, PROMPTS, one_each)
        made, _ = instructions(replace(example, split="train"), *arguments)
        annotated, _ = instructions(replace(example, split="test"), *arguments)
        for line in made:
            rows.append(
                {
                    "id": f"{number}/{line.id}",
                    "example_id": str(number),
                    "task": task,
                    "source": "Made",
                    "split": SPLITS[-1],
                    "instruction": line.instruction,
                    "label": annotated[0].label if whole else line.output,
                    "output": line.output,
                }
            )
    if not rows:
        return
    path = write(tmp_path_factory.mktemp("gold") / "p.jsonl", rows)
    for match in ("normal", "set"):
        for scored in score([path], match=match, draws=0).tables[0].rows:
            assert scored.gold == scored.predicted == scored.right, json.dumps(rows)
            assert scored.rouge_2 == 1
            assert not any(scored.wrong.values()) and not any(scored.missed.values())
            assert scored.answers["malformed"] == scored.answers["not_asked"] == 0


LANGUAGES = {
    "de": ("Ada Groß lehrt an der Universität Köln.", ["Ada Groß"], ["Universität Köln", "Köln"], "Universität"),
    "ja": ("田中花子は東京大学で教えた。", ["田中花子"], ["東京大学", "東京"], "大学"),
    "th": ("สมชายทำงานที่มหาวิทยาลัยน่าน", ["สมชาย"], ["มหาวิทยาลัยน่าน", "น่าน"], "มหาวิทยาลัย"),
    "ar": ("تعمل ليلى حداد في جامعة تونس.", ["ليلى حداد"], ["جامعة تونس", "تونس"], "جامعة"),
}
"""Language → text, people, places (which nest), and a wrong place that overlaps the first."""


def test_scores_of_other_languages(tmp_path):
    rows = [
        row(
            "NER",
            ["person", "place"],
            {"person": people, "place": [overlapping, places[1]]},
            entities(person=people, place=places),
            text=text,
            lang=stated,
            source=lang,
            number=number,
        )
        for number, (lang, (text, people, places, overlapping)) in enumerate(LANGUAGES.items())
        for stated in (f"{lang}-Zzzz" if number % 2 else None,)
    ]
    results = scored(tmp_path, rows, by=("source",))
    assert [result.group["source"] for result in results] == sorted(LANGUAGES)
    for result in results:
        assert (result.gold, result.predicted, result.right, result.wrong["boundary"]) == (3, 3, 2, 1)
        assert 0.3 < result.rouge_2 < 1 and result.figures[2] == pytest.approx(2 / 3)
