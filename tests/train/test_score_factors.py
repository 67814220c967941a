"""Scores by the length of the text, by what the prompt asks for, and by file; rates of omissions and hallucinations."""

import json

import numpy as np
import pytest

from schemas import familiarity, json_values
from schemas.errors import ConfigError
from tests.train.predicted import TEXT, entities, event, row, triple, write
from train import score as command
from train.score import BY, score
from train.scoring.factors import FACTORS, LENGTH_CLASSES, LENGTHS, encode

GOLD = entities(ship=["Ada", "Bo"], place=["Coal Quay", "Low Water"], cargo=["coal"])


def table(tmp_path, rows, by, draws=0, **options):
    """value of the factors → scores of the only measure"""
    report = score([write(tmp_path / "p.jsonl", rows)], by=[by], draws=draws, **options)
    return {tuple(scores.group[name] for name in by): scores for scores in report.tables[0].rows}


def counts(scores):
    return scores.texts, scores.gold, scores.predicted, scores.right


def test_the_command_offers_every_factor():
    assert set(BY) == set(FACTORS)


def test_an_item_belongs_to_the_prompt_that_asks_for_its_label(tmp_path):
    rows = [
        row("NER", ["ship", "place"], {"ship": ["Ada"], "place": ["Coal Quay", "Nowhere"]}, GOLD, form="nan"),
        row("NER", ["cargo"], {"cargo": ["coal", "tin"], "day": ["Monday"]}, GOLD, batch=1),
        row("NER", ["cargo"], "no JSON", entities(cargo=["tin"]), 1),
    ]
    by_count = table(tmp_path, rows, ("labels_asked",))
    assert {group: counts(scores) for group, scores in by_count.items()} == {
        ("1",): (2, 2, 2, 1),
        ("2",): (1, 4, 3, 2),
        ("not asked",): (1, 0, 1, 0),
    }
    by_form = table(tmp_path, rows, ("form",))
    assert {group: counts(scores) for group, scores in by_form.items()} == {
        ("iepile",): (2, 2, 2, 1),
        ("nan",): (1, 4, 3, 2),
        ("not asked",): (1, 0, 1, 0),
    }
    assert by_form["iepile",].answers == {"rows": 2, "unparseable": 1, "repaired": 0, "malformed": 0, "not_asked": 1}
    assert by_form["iepile",].missed["unparseable"] == 1
    assert by_form["nan",].missed["not found"] == 2
    assert by_form["nan",].rouge_2 is None


def test_errors_by_label(tmp_path):
    rows = [row("NER", ["ship", "place"], {"ship": ["Ada", "Nobody"], "place": ["Bo", "Coal"]}, GOLD)]
    scores = table(tmp_path, rows, ("label",))
    assert {kind: n for kind, n in scores["ship",].wrong.items() if n} == {"hallucinated": 1}
    assert {kind: n for kind, n in scores["ship",].missed.items() if n} == {"other label": 1}
    assert {kind: n for kind, n in scores["place",].wrong.items() if n} == {"spurious": 1, "boundary": 1}
    assert scores["ship",].answers == {}


def test_texts_by_length(tmp_path):
    texts = ["a" * length for length in (1, 100, 101, 1600, 1601)]
    rows = [row("NER", ["x"], {"x": []}, [], number, text=text) for number, text in enumerate(texts)]
    scores = table(tmp_path, rows, ("length",))
    assert {group: scores.texts for (group,), scores in scores.items()} == {
        "1–100": 2,
        "101–200": 1,
        "801–1600": 1,
        "over 1600": 1,
    }
    assert len(LENGTH_CLASSES) == len(LENGTHS) + 1


def test_values_are_encoded_in_a_readable_order():
    values = ["not asked", "10", "2", "over 1600", "b", "201–400", "B", "2", "101–200"]
    names, codes = encode(values)
    assert names == ("101–200", "2", "201–400", "over 1600", "10", "B", "b", "not asked")
    assert [names[code] for code in codes] == values


def test_files_are_groups_with_by_file(tmp_path):
    free = write(tmp_path / "free.jsonl", [row("NER", ["ship"], {"ship": ["Ada", "X", "Y"]}, entities(ship=["Ada"]))])
    guided = write(tmp_path / "guided.jsonl", [row("NER", ["ship"], {"ship": []}, entities(ship=["Ada"]))])
    (by_file,) = score([free, guided], by=[("file",)], draws=10).tables
    rates = {scores.group["file"]: {name: rate.value for name, rate in scores.rates.items()} for scores in by_file.rows}
    assert rates == {
        free: {"predicted_per_text": 3, "gold_per_text": 1, "hallucinated": 2 / 3, "omitted": 0},
        guided: {"predicted_per_text": 0, "gold_per_text": 1, "hallucinated": None, "omitted": 1},
    }
    assert by_file.rows[0].spread is None
    with pytest.raises(ConfigError, match="--by file"):
        score([free, guided], by=[("file",), ("task",)])


def test_rates_have_intervals_over_texts(tmp_path):
    generator = np.random.default_rng(3)
    rows, wrong = [], []
    for number in range(120):
        wrong.append(int(generator.integers(0, 3)))
        answer = {"ship": ["Ada", *["Nobody", "Nowhere"][: wrong[-1]]]}
        rows.append(row("NER", ["ship"], answer, entities(ship=["Ada"]), number, text=TEXT))
    (scores,) = table(tmp_path, rows, ("task",), draws=4000).values()
    wrong = np.array(wrong)
    drawn = wrong[generator.integers(120, size=(4000, 120))].sum(axis=1)
    rate = scores.rates["hallucinated"]
    assert rate.value == pytest.approx(wrong.sum() / (120 + wrong.sum()))
    assert rate.interval == pytest.approx(np.quantile(drawn / (120 + drawn), (0.025, 0.975)), abs=0.01)
    assert scores.rates["predicted_per_text"].interval == pytest.approx(
        np.quantile(1 + drawn / 120, (0.025, 0.975)), abs=0.02
    )
    assert scores.rates["omitted"].interval == (0, 0)


def test_attributes_belong_to_the_prompt_with_their_entity_type(tmp_path):
    gold = [triple("Ada", "port", "Coal Quay"), triple("Ada", "cargo", "coal"), triple("Ada", "owner", "Bo")]
    answer = {"ship": {"Ada": {"port": "Coal Quay", "cargo": "tin"}}}
    by_count = table(tmp_path, [row("KG", ["ship"], answer, gold, form="triples")], ("labels_asked",))
    assert {group: counts(scores) for group, scores in by_count.items()} == {
        ("1",): (1, 2, 0, 0),
        ("not asked",): (1, 1, 0, 0),
    }


def test_entity_types_without_attributes_are_refused(tmp_path):
    one = row("KG", ["ship"], {}, [triple("Ada", "port", "Coal Quay")])
    schema = [{"entity_type": "ship"}]
    rows = [{**one, "instruction": json.dumps({"instruction": "Extract.", "schema": schema, "input": TEXT})}]
    with pytest.raises(ConfigError, match=r"p\.jsonl:1: the schema .* does not have the form of task KG"):
        table(tmp_path, rows, ("labels_asked",))


def familiarity_report(folder, kinds: dict[tuple[str, str, str], str]) -> str:
    """A folder with the report of a build; `kinds`: source, task and label → familiarity."""
    labels = tuple(
        familiarity.LabelFamiliarity(key, task, label, kind, False, 1, ()) for (key, task, label), kind in kinds.items()
    )
    path = folder / "build" / familiarity.PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json_values.render(familiarity.FamiliarityReport("lexical", 0.5, labels)))
    return str(folder / "build")


def test_scores_by_the_familiarity_of_labels(tmp_path):
    build = familiarity_report(
        tmp_path,
        {
            ("harbour", "NER", "ship"): "seen",
            ("harbour", "NER", "place"): "near",
            ("dock", "NER", "cargo"): "unseen",
            ("harbour", "NER", "day"): "unseen",
        },
    )
    rows = [
        row("NER", ["ship", "place"], {"ship": ["Ada", "Nobody"], "place": ["Coal Quay"]}, GOLD),
        row("NER", ["cargo", "day"], {"cargo": ["coal"], "day": ["Monday"]}, GOLD, batch=1),
        row("NER", ["cargo", "day"], {"cargo": [], "day": []}, [], 1),
    ]
    for path in (build, f"{build}/{familiarity.PATH}"):
        scores = table(tmp_path, rows, ("familiarity",), draws=50, familiarity=path)
        assert {group: counts(scores) for group, scores in scores.items()} == {
            ("seen",): (2, 2, 2, 1),
            ("near",): (2, 2, 1, 1),
            ("unseen",): (2, 0, 1, 0),
            ("unknown",): (2, 1, 1, 1),
        }
        assert list(scores) == [("seen",), ("near",), ("unseen",), ("unknown",)]
        assert scores["seen",].rates["hallucinated"].value == 0.5
        assert scores["near",].rates["omitted"].interval is not None
    both = table(tmp_path, rows, ("source", "familiarity"), familiarity=build)
    assert counts(both["Harbour", "near"]) == (2, 2, 1, 1)


def test_the_familiarity_of_arguments_and_attributes_is_that_of_their_type(tmp_path):
    kinds = {("harbour", "EEA", "leave"): "near", ("harbour", "KG", "ship"): "unseen"}
    build = familiarity_report(tmp_path, kinds)
    gold = [event("leave", "left", ship=["Ada"], time=["Monday"])]
    rows = [row("EEA", ["leave"], {"leave": [{"trigger": "left", "arguments": {"ship": "Ada"}}]}, gold)]
    assert counts(table(tmp_path, rows, ("familiarity",), familiarity=build)["near",]) == (1, 2, 1, 1)
    rows = [row("KG", ["ship"], {"ship": {"Ada": {"port": "Coal Quay"}}}, [triple("Ada", "port", "Coal Quay")])]
    (by_label,) = table(tmp_path, rows, ("label", "familiarity"), familiarity=build).values()
    assert by_label.group == {"task": "KG", "label": "port", "familiarity": "unseen"}


def test_rows_of_other_tools_have_labels_of_unknown_familiarity(tmp_path):
    build = familiarity_report(tmp_path, {("harbour", "NER", "ship"): "seen"})
    rows = [row("NER", ["ship"], {"ship": ["Ada"]}, entities(ship=["Ada"]), example_id=None)]
    assert list(table(tmp_path, rows, ("familiarity",), familiarity=build)) == [("unknown",)]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--by", "familiarity"], "--by familiarity needs the report of a build; name the build with --familiarity"),
        (["--familiarity", "{build}"], "--familiarity is only for --by familiarity; add it or leave the flag out"),
        (
            ["--by", "task,familiarity", "--familiarity", "{folder}"],
            "{folder}/reports/familiarity.json: no such file or directory; give the folder of a finished build",
        ),
        (
            ["--by", "familiarity", "--familiarity", "{folder}/p.jsonl"],
            "{folder}/p.jsonl: made by another version of IEForge, or damaged",
        ),
    ],
)
def test_wrong_settings_of_familiarity(tmp_path, capsys, flags, message):
    build = familiarity_report(tmp_path, {})
    predictions = write(tmp_path / "p.jsonl", [row("NER", ["ship"], {}, [])])
    names = {"build": build, "folder": tmp_path}
    assert command.main(["--predictions", predictions, *(flag.format(**names) for flag in flags)]) == 2
    assert message.format(**names) in capsys.readouterr().err


def test_runs_with_other_numbers_of_rows_are_refused(tmp_path):
    rows = [row("NER", [name], {name: []}, GOLD, batch=n) for n, name in enumerate(("ship", "place"))]
    paths = [write(tmp_path / "a.jsonl", rows), write(tmp_path / "b.jsonl", rows[:1])]
    with pytest.raises(ConfigError, match=r"1 in .*b\.jsonl and 2 in .*a\.jsonl"):
        score(paths)
