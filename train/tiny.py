"""Texts → a random two-layer model and a tokenizer trained on the texts, for training and tests without a download."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from train.chat import PLAIN

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

PAD, START, END = "<pad>", "<s>", "</s>"
PIECE_CHARS = 256
"""Characters per piece: texts are cut into pieces before the tokenizer is trained on them."""

NAME = "tiny"
"""The name of this model in recipes and flags."""


def tokenizer(texts: Iterable[str], vocab_size: int = 2000) -> "PreTrainedTokenizerFast":
    """Trains a byte-level BPE tokenizer of at most `vocab_size` tokens. It encodes any string of any language."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # Training takes time quadratic in the length of a word, and a text without blanks is one word.
    pieces = (text[start : start + PIECE_CHARS] for text in texts for start in range(0, len(text), PIECE_CHARS))
    trained.train_from_iterator(pieces, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=trained, pad_token=PAD, bos_token=START, eos_token=END, chat_template=PLAIN
    )


def model(
    vocabulary: "PreTrainedTokenizerFast", *, hidden_size: int = 128, layers: int = 2, seed: int = 0
) -> "PreTrainedModel":
    """Returns a randomly initialised Llama (float32) with `layers` layers for the tokenizer's vocabulary."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=hidden_size,
        intermediate_size=2 * hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=4096,
        pad_token_id=vocabulary.pad_token_id,
        bos_token_id=vocabulary.bos_token_id,
        eos_token_id=vocabulary.eos_token_id,
    )
    return LlamaForCausalLM(config)


def save(texts: Iterable[str], output: str | os.PathLike, vocab_size: int = 2000, **shape: int) -> str:
    """Writes model and tokenizer into the folder `output` and returns its path. `shape`: arguments of `model`."""
    vocabulary = tokenizer(texts, vocab_size)
    vocabulary.save_pretrained(output)
    model(vocabulary, **shape).save_pretrained(output)
    return str(output)
