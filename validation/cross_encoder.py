"""Scores facts by a cross-encoder for natural language inference: does the text entail the fact in words?

REBEL (Huguet Cabot and Navigli 2021) filters its triples in this way. The premise is the paragraph, or the sentences
around head and tail if it is long; the hypothesis is `relation_words.in_words`.
"""

import functools
import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from schemas.errors import ConfigError
from transforms import files, model_hub
from validation.claims import Claim
from validation.lexical_entailment import split
from validation.relation_words import in_words

if TYPE_CHECKING:  # takes seconds to import, and is an extra
    import torch

ENTAILMENT = ("entailment", "entails", "entail", "entailed")
PREMISE_CHARS = {"en": 1_500, "zh": 400}
"""A longer paragraph is cut to the sentences of head and tail and those between them; if these are longer too, to the
two sentences. Some 400 tokens.
"""

MAX_TOKENS = 512


class CrossEncoder:
    """A sequence-classification model by name or path. A named model is read from the local cache, or downloaded.

    `device`: `cuda`, `cpu` or None for a GPU if there is one. A GPU computes in half precision, so that its scores
    differ from those of a CPU in the third decimal. Raises ConfigError if the model cannot be loaded or has no label
    for entailment.
    """

    def __init__(self, model: str, batch_size: int, device: str | None = None):
        self.batch_size = batch_size
        self.lock = threading.Lock()  # a tokenizer cannot be used by two threads at once
        self.tokenizer, self.model, self.device = load(model, device)
        self.label = entailment_label(model, self.model.config.id2label)
        self.name = display_name(model)

    def score(self, pairs: Sequence[Claim]) -> list[float]:
        """The chance of the label for entailment. Pairs of similar length are scored in one batch."""
        texts = [(premise(claim), in_words(claim)) for claim in pairs]
        order = sorted(range(len(texts)), key=lambda number: (sum(map(len, texts[number])), texts[number]))
        scores = [0.0] * len(texts)
        for first in range(0, len(order), self.batch_size):
            batch = order[first : first + self.batch_size]
            with self.lock:
                chances = self.score_batch([texts[number] for number in batch])
            for number, chance in zip(batch, chances, strict=True):
                scores[number] = chance
        return scores

    def score_batch(self, texts: Sequence[tuple[str, str]]) -> list[float]:
        """The scores of (premise, hypothesis) pairs."""
        import torch

        encoded = self.tokenizer(
            [premise for premise, _ in texts],
            [hypothesis for _, hypothesis in texts],
            truncation="longest_first",  # the premise, unless the fact in words needs more than half of the tokens
            max_length=self.max_tokens,
            padding=True,
            return_tensors="pt",
        ).to(self.device)
        with torch.inference_mode():
            logits = self.model(**encoded).logits.float()
        return logits.softmax(-1)[:, self.label].tolist()

    @property
    def max_tokens(self) -> int:
        """Of the positions of RoBERTa's family, two are not used."""
        positions = getattr(self.model.config, "max_position_embeddings", None) or MAX_TOKENS
        return max(min(self.tokenizer.model_max_length, positions - 2, MAX_TOKENS), 1)


def premise(claim: Claim) -> str:
    """The text that may state the claim, as a single line."""
    text, limit = claim.text, PREMISE_CHARS["zh" if claim.lang == "zh" else "en"]
    if len(text) > limit:
        parts = split(text, claim.lang)
        first, last = (parts.number_of(span[0]) for span in sorted((claim.head, claim.tail)))
        text = claim.text[parts.starts[first] : parts.ends[last]]
        if len(text) > limit:
            text = " ".join(claim.text[parts.starts[number] : parts.ends[number]] for number in sorted({first, last}))
    return " ".join(text.split())


def entailment_label(model: str, labels: Mapping[int, str]) -> int:
    """The number of the label for entailment. Raises ConfigError if there is none."""
    for number, label in sorted(labels.items()):
        if label.strip().lower() in ENTAILMENT:
            return number
    names = ", ".join(labels[number] for number in sorted(labels))
    raise unusable(model, f"none of its labels is entailment (they are {names})")


def check(model: str) -> None:
    """Raises ConfigError if `model` is the path of no folder, or of a folder without a model for entailment. Does not
    load the model; a model named otherwise is not looked for.
    """
    if looks_like_path(model) and not Path(model).is_dir():
        raise unusable(model, "there is no such folder")
    if not model.strip():
        raise unusable(repr(model), "its name is empty")
    path = Path(model) / "config.json"
    if Path(model).is_dir():
        try:
            labels = msgspec.json.decode(path.read_bytes(), type=Labels).id2label
        except OSError as error:
            raise unusable(model, f"config.json: {error.strerror}") from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise unusable(model, f"config.json: {error}") from error
        entailment_label(model, labels)


class Labels(msgspec.Struct):
    """The part of a config.json that names the labels. A model without names has LABEL_0 and LABEL_1."""

    id2label: dict[int, str] = msgspec.field(default_factory=lambda: {0: "LABEL_0", 1: "LABEL_1"})


@functools.cache
def load(model: str, device: str | None) -> tuple[Any, Any, "torch.device"]:
    """(tokenizer, model, device), loaded once per process. Raises ConfigError."""
    check(model)
    try:
        import torch
        import transformers
        from safetensors import SafetensorError
    except ImportError as error:
        raise ConfigError(
            f"score.model {model}: {error.name or error} is not installed; "
            "pip install 'ieforge[embed]', or use the built-in score: score.model=lexical"
        ) from error
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    number_type = torch.float16 if place.type == "cuda" else torch.float32

    def read(local: bool) -> tuple[Any, Any, dict[str, Any]]:
        options = {"local_files_only": local, "trust_remote_code": False}
        tokenizer = transformers.AutoTokenizer.from_pretrained(model, **options)
        classifier, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            model, dtype=number_type, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
        return tokenizer, classifier, report

    refusals = (OSError, ValueError, TypeError, KeyError, RuntimeError, ImportError, SafetensorError)
    try:
        tokenizer, classifier, report = read(local=True)
    except refusals as error:
        if Path(model).is_dir():
            raise unusable(model, error) from error
        if not model_hub.reachable(model_hub.endpoint()):
            reason = f"it is not a folder and not in the local cache, and {model_hub.endpoint()} does not answer"
            raise unusable(model, reason) from error
        try:
            tokenizer, classifier, report = read(local=False)
        except refusals as refusal:
            raise unusable(model, refusal) from refusal
    # transformers fills weights that are not in the files with random numbers
    if absent := sorted({*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])}):
        raise unusable(model, f"it is not a complete classifier: its files lack {', '.join(absent)}")
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):  # transformers creates one if its files are missing
        raise unusable(model, "its tokenizer has no vocabulary; check that the files of the tokenizer are complete")
    if tokenizer.pad_token_id is None:
        raise unusable(model, "its tokenizer has no token for padding")
    classifier.config.pad_token_id = tokenizer.pad_token_id  # decoders look for the end of a text by it
    return tokenizer, classifier.to(place).eval(), place


def looks_like_path(model: str) -> bool:
    return model.startswith((".", "/", "~")) or model.count("/") > 1


def display_name(model: str) -> str:
    """The name of a model in artefacts. For a folder: its base name and the start of the checksum of its files."""
    if not Path(model).is_dir():
        return model
    checksums = files.checksums_below(model)
    lines = "\n".join(f"{name} {checksum}" for name, checksum in sorted(checksums.items()))
    return f"{Path(model).resolve().name}@{hashlib.sha256(lines.encode()).hexdigest()[:12]}"


def unusable(model: str, reason: object) -> ConfigError:
    line = " ".join(str(reason).split())[:200].rstrip(". ")
    return ConfigError(
        f"score.model {model} cannot be used: {line}; give a model for natural language inference by name or folder, "
        "or use the built-in score: score.model=lexical"
    )
