"""The model card: base, data with licences, recipe and figures, with metadata that the Hub reads; no local paths."""

import json
import shutil

import pytest
import yaml

from tests.train.predicted import entities, row, write
from tests.train.test_sft import BRIEF
from tests.train.test_training_page import SUMMARY
from train import export, score, sft
from train.tuning import card
from train.tuning.summary import as_json


@pytest.fixture(scope="module")
def adapter(small, tiny_base, tmp_path_factory, one_thread):
    """An adapter trained on two sources of a build of the bundled samples."""
    output = tmp_path_factory.mktemp("card") / "adapter"
    settings = [flag for setting in BRIEF for flag in ("--set", setting)]
    given = ["--model", tiny_base, "--data", str(small), "--output", str(output), "--sources", "ade_corpus,semeval_re"]
    given += ["--tasks", "RE", "--set", "training.per_device_train_batch_size=1", "--set", "max_validation_rows=2"]
    assert sft.main([*settings, *given, "--set", "lora.r=4"]) == 0
    return output


def parts(path) -> tuple[dict, str]:
    _, block, text = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(block), text


def test_the_card_of_an_adapter(adapter, tiny_base, small):
    metadata, text = parts(adapter / "README.md")
    assert (metadata["library_name"], metadata["pipeline_tag"]) == ("peft", "text-generation")
    assert "base_model" not in metadata and {"lora", "re"} <= set(metadata["tags"])
    assert metadata["language"] == ["en"]
    trained = {each["source"] for each in json.loads((adapter / "sft.json").read_text(encoding="utf-8"))["lengths"]}
    assert len(trained) == 2
    for name, licence in facts(small).items():
        assert (f"| {name} | en | {licence} | http" in text) is (name in trained)
    assert "  r: 4" in text and "max_steps: 2" in text and "the weights are those of step 2" in text
    assert "validation loss" in text and "TRL" not in text
    for path in (tiny_base, str(small), str(adapter)):
        assert path not in text and path not in str(metadata)


def facts(build) -> dict[str, str]:
    about = json.loads((build / "reports/stats.json").read_text(encoding="utf-8"))["about"]
    return {source["name"]: source["licence_text"] for source in about.values()}


def test_an_export_has_the_card_of_its_training(adapter, tmp_path):
    assert export.main(["--adapter", str(adapter), "--output", str(tmp_path / "merged")]) == 0
    metadata, text = parts(tmp_path / "merged/README.md")
    assert metadata["library_name"] == "transformers" and "lora" not in metadata["tags"]
    assert "a LoRA adapter merged into its base" in text and "| ADE_corpus |" in text


def test_scores_are_added_to_the_card(adapter, tmp_path, capsys):
    scored = shutil.copytree(adapter, tmp_path / "adapter")
    rows = [row("NER", ["ship"], {"ship": ["Ada"]}, entities(ship=["Ada", "Bo"]))]
    rows.append(row("NER", ["ship"], {"ship": ["Low Water"]}, entities(ship=["Ada"]), 1, source="Quay"))
    predictions = write(tmp_path / "p.jsonl", rows)
    for _ in range(2):  # the second time replaces the first
        flags = ["--predictions", predictions, "--by", "source", "--bootstrap", "9", "--card", str(scored)]
        assert score.main(flags) == 0
    text = (scored / "README.md").read_text(encoding="utf-8")
    assert text.count("## Scores") == 1 and "| ADE_corpus |" in text
    assert "| NER | Harbour | entity | 1 | 100.00 | 50.00 | 66.67 | 66.67–66.67 |" in text
    assert "| NER | Quay | entity | 1 | 0.00 | 0.00 | 0.00 |" in text
    assert str(tmp_path) not in text + (scored / "scores.json").read_text(encoding="utf-8")
    assert export.main(["--adapter", str(scored), "--output", str(tmp_path / "merged")]) == 0
    assert "| NER | Harbour |" in (tmp_path / "merged/README.md").read_text(encoding="utf-8")
    capsys.readouterr()
    assert score.main(["--predictions", predictions, "--card", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert f"error: --card {tmp_path}: not the folder of a finished training (no sft.json)" in error


def test_a_model_that_was_not_trained_here_gets_no_card(tiny_base, tmp_path):
    assert export.main(["--model", tiny_base, "--output", str(tmp_path / "copy")]) == 0
    assert not (tmp_path / "copy/README.md").exists()


def test_names_of_the_hub_are_metadata():
    from huggingface_hub import ModelCard

    read = ModelCard(card.text(content(model="org/base", data="org/corpus"), "adapter")).data
    assert (read.base_model, read.datasets) == ("org/base", ["org/corpus"])
    assert read.to_dict()["base_model_relation"] == "adapter"


def test_names_cannot_break_the_table():
    sources = [{"name": "a|b\n# c", "language": None, "licence": None, "homepage": None}]
    assert "| a/b\\n# c | – | not recorded | – |" in card.text(content(sources=sources), "adapter")


def test_paths_of_the_machine_are_not_in_the_card():
    text = card.text(content(model="/home/me/base.gguf", data="/home/me/build"), "model")
    assert "`base.gguf`" in text and "/home" not in text and "base_model" not in text


def test_the_recipe_of_the_card_is_what_was_set():
    from train.tuning import recipe
    from transforms.settings import Settings

    given = {"model": "m", "data": "d", "output": "o", "lora": {"r": 4}, "training": {"max_steps": 2}, "keep": "best"}
    facts = card.recipe_facts(recipe.check(Settings(given)))
    assert facts == {"lora": {"r": 4}, "training": {"max_steps": 2}, "keep": "best"}


def content(**changed) -> dict:
    """A summary as it is in sft.json."""
    return json.loads(as_json(SUMMARY)) | changed
