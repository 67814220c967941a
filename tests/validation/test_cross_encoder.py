"""The cross-encoder for entailment, with tiny models that the tests make."""

import json

import pytest

from schemas.errors import ConfigError
from validation import entailment
from validation.cross_encoder import PREMISE_CHARS, CrossEncoder, load, premise
from validation.entailment import Claim

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "ada",
    "bo",
    "was",
    "born",
    "in",
    "lowdale",
    ".",
    "the",
    "capital",
    "of",
    "is",
]


def write_model(folder, labels: dict[int, str]) -> str:
    """A BERT with random weights (always the same) and a vocabulary of WORDS."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    (folder / "vocab.txt").write_text("\n".join(WORDS))
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=48,
        id2label=labels,
        label2id={label: number for number, label in labels.items()},
        initializer_range=0.5,
    )
    torch.manual_seed(7)
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=48).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("nli")
    return write_model(folder, {0: "contradiction", 1: "Entailment", 2: "neutral"})


CLAIMS = [
    Claim("Ada was born in Lowdale.", "en", (0, 3), (16, 23), "place of birth", "place of birth", 19),
    Claim("Bo is in Lowdale. " * 30, "en", (0, 2), (9, 16), "place of birth", "place of birth", 19),
    Claim("Ada is the capital of Lowdale.", "en", (22, 29), (0, 3), "capital", "capital", 36),
    Claim("Ada was born in Lowdale.", "en", (0, 3), (16, 23), "favourite game", "capital", 1),
]


def test_scores_are_the_chances_of_entailment(model):
    import torch

    scores = CrossEncoder(model, 2, "cpu").score(CLAIMS)
    assert all(0 < score < 1 for score in scores)
    assert len(set(scores)) == len(scores)
    tokenizer, classifier, _ = load(model, "cpu")
    encoded = tokenizer("Ada was born in Lowdale.", "Ada was born in Lowdale.", return_tensors="pt")
    with torch.inference_mode():
        expected = classifier(**encoded).logits.softmax(-1)[0, 1].item()
    assert scores[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_scores_do_not_depend_on_batches_and_order(model, batch_size):
    scores = CrossEncoder(model, 2, "cpu").score(CLAIMS)
    backwards = CrossEncoder(model, batch_size, "cpu").score(CLAIMS[::-1])
    assert backwards[::-1] == pytest.approx(scores, abs=1e-6)


def test_no_claims_have_no_scores(model):
    assert CrossEncoder(model, 2, "cpu").score([]) == []


def test_a_model_is_loaded_once_and_named_without_its_path(model):
    first, second = (entailment.load(model, 4) for _ in range(2))
    assert first.model is second.model
    assert first.name == entailment.display_name(model)
    assert "/" not in first.name and "@" in first.name


def test_the_premise_of_a_long_text_is_the_sentences_of_both_ends():
    text = "Ada sings.\nBo was born\nin Lowdale. " + "It rains. " * PREMISE_CHARS["en"]
    start = text.index("Bo")
    claim = Claim(text, "en", (start, start + 2), (text.index("Lowdale"), text.index("Lowdale") + 7), "x", "x", 1)
    assert premise(claim) == "Bo was born in Lowdale."
    assert premise(CLAIMS[0]) == CLAIMS[0].text


def test_a_model_without_a_label_for_entailment_is_refused(tmp_path):
    path = write_model(tmp_path, {0: "no", 1: "yes"})
    for refuse in (entailment.check, lambda model: entailment.load(model, 4)):
        with pytest.raises(ConfigError, match=r"none of its labels is entailment \(they are no, yes\)") as error:
            refuse(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("path", ["/nowhere/model", "./nowhere", "a/b/c"])
def test_a_missing_folder_is_refused(path):
    for refuse in (entailment.check, lambda model: entailment.load(model, 4)):
        with pytest.raises(ConfigError, match="there is no such folder; give a model"):
            refuse(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "config.json: No such file"), ("{", "config.json: .*truncated"), ("[]", "Expected `object`")],
)
def test_a_folder_without_a_usable_config_is_refused(tmp_path, content, problem):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=problem):
        entailment.check(str(tmp_path))


def test_a_folder_without_weights_is_refused(tmp_path):
    labels = {"0": "entailment", "1": "other"}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "id2label": labels}))
    entailment.check(str(tmp_path))
    with pytest.raises(ConfigError, match=r"^score\.model .* cannot be used") as error:
        entailment.load(str(tmp_path), 4)
    assert "\n" not in str(error.value)
