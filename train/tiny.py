"""Texts → a random two-layer model with a tokenizer trained on them: training and predicting without a download."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from train.chat import PLAIN

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

PAD, START, END = "<pad>", "<s>", "</s>"
PIECE_CHARS = 256
"""Texts are cut into pieces of so many characters before the tokenizer is trained on them."""

NAME = "tiny"
"""The model name that stands for this model."""


def tokenizer(texts: Iterable[str], vocab_size: int = 2000) -> "PreTrainedTokenizerFast":
    """A byte-level BPE tokenizer of at most `vocab_size` tokens; every string of any language has ids."""
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
    # Merges are counted within words, in a time that grows with the square of a word that has no end.
    pieces = (text[start : start + PIECE_CHARS] for text in texts for start in range(0, len(text), PIECE_CHARS))
    trained.train_from_iterator(pieces, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=trained, pad_token=PAD, bos_token=START, eos_token=END, chat_template=PLAIN
    )


def model(
    vocabulary: "PreTrainedTokenizerFast", *, hidden_size: int = 128, layers: int = 2, seed: int = 0
) -> "PreTrainedModel":
    """A random Llama of two layers (float32) that fits the tokenizer's vocabulary."""
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
    """Writes model and tokenizer into the folder `output` and returns it; `shape` as in `model`."""
    vocabulary = tokenizer(texts, vocab_size)
    vocabulary.save_pretrained(output)
    model(vocabulary, **shape).save_pretrained(output)
    return str(output)
