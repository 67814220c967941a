"""The cross-encoder for entailment, with tiny models that the tests make."""

import json
import shutil
from pathlib import Path

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


def test_a_long_passage_between_both_ends_is_left_out():
    text = "Ada sings. " + "It rains. " * PREMISE_CHARS["en"] + "She is from Lowdale. It is late."
    start = text.index("Lowdale")
    assert premise(Claim(text, "en", (0, 3), (start, start + 7), "x", "x", 1)) == "Ada sings. She is from Lowdale."
    assert premise(Claim(text, "en", (start, start + 7), (0, 3), "x", "x", 1)) == "Ada sings. She is from Lowdale."


def test_a_premise_that_is_too_long_is_cut_and_the_fact_is_not(model):
    """The model has 46 tokens: 3 marks, 6 for the fact in words, and the first 37 of the premise."""
    start, sentence = "Ada was born in Lowdale. ", "Bo is the capital. "
    text, cut = start + sentence * 60, start + sentence * 6 + "Bo"
    whole, part = (Claim(each, "en", (0, 3), (16, 23), "place of birth", "", 19) for each in (text, cut))
    encoder = CrossEncoder(model, 1, "cpu")
    assert encoder.max_tokens == 46
    assert encoder.score([whole]) == encoder.score([part])
    assert encoder.score([whole]) != encoder.score([CLAIMS[0]])


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


ENTAILMENT = {0: "entailment", 1: "not_entailment"}


def without_head(folder, tmp_path):
    """An encoder whose config.json has the labels of a classifier."""
    from transformers import BertModel

    BertModel.from_pretrained(folder).save_pretrained(tmp_path / "encoder")
    (tmp_path / "encoder/model.safetensors").replace(f"{folder}/model.safetensors")


def with_smaller_layers(folder, tmp_path):
    path = Path(folder, "config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "intermediate_size": 8}))


def without_tokenizer(folder, tmp_path):
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        Path(folder, name).unlink()


def without_padding(folder, tmp_path):
    from transformers import PreTrainedTokenizerFast

    Path(folder, "vocab.txt").unlink()
    PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json", unk_token="[UNK]").save_pretrained(folder)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (without_head, "not a complete classifier: its files lack classifier.bias, classifier.weight;"),
        (with_smaller_layers, "not a complete classifier: its files lack bert.encoder.layer.0.intermediate"),
        (without_tokenizer, "its tokenizer has no vocabulary;"),
        (without_padding, "its tokenizer has no token for padding;"),
    ],
)
def test_a_model_that_would_give_random_scores_or_fail_later_is_refused(tmp_path, capfd, damage, problem):
    (tmp_path / "nli").mkdir()
    path = write_model(tmp_path / "nli", ENTAILMENT)
    damage(path, tmp_path)
    capfd.readouterr()
    with pytest.raises(ConfigError) as error:
        entailment.load(path, 4)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_a_decoder_is_padded_with_the_token_of_its_tokenizer(model, tmp_path):
    from transformers import GPT2Config, GPT2ForSequenceClassification

    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(Path(model, file), tmp_path)
    config = GPT2Config(vocab_size=len(WORDS), n_positions=64, n_embd=16, n_layer=1, n_head=2, id2label=ENTAILMENT)
    GPT2ForSequenceClassification(config).save_pretrained(tmp_path)
    scores = CrossEncoder(str(tmp_path), 4, "cpu").score(CLAIMS)
    assert scores == pytest.approx(CrossEncoder(str(tmp_path), 1, "cpu").score(CLAIMS), abs=1e-6)


def test_a_name_that_is_not_in_the_cache_is_refused_if_the_hub_does_not_answer(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ConfigError, match=r"not in the local cache, and http://127\.0\.0\.1:1 does not answer; give"):
        entailment.load("nobody/no-model", 4)
