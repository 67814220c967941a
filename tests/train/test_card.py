"""The model card: base, data with licences, recipe and figures, with metadata that the Hub reads; no local paths."""

import json

import pytest
import yaml

from tests.train.test_sft import BRIEF
from train import export, sft
from train.tuning import card


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


def test_a_model_that_was_not_trained_here_gets_no_card(tiny_base, tmp_path):
    assert export.main(["--model", tiny_base, "--output", str(tmp_path / "copy")]) == 0
    assert not (tmp_path / "copy/README.md").exists()


def test_names_of_the_hub_are_metadata(adapter):
    from huggingface_hub import ModelCard

    summary = json.loads((adapter / "sft.json").read_text(encoding="utf-8"))
    summary |= {"model": "org/base", "data": "org/corpus"}
    read = ModelCard(card.text(summary, "adapter")).data
    assert (read.base_model, read.datasets) == ("org/base", ["org/corpus"])
    assert read.to_dict()["base_model_relation"] == "adapter"


def test_names_cannot_break_the_table(adapter):
    summary = json.loads((adapter / "sft.json").read_text(encoding="utf-8"))
    summary["sources"] = [{"name": "a|b\n# c", "language": None, "licence": None, "homepage": None}]
    assert "| a/b\\x0a# c | – | not recorded | – |" in card.text(summary, "adapter")
