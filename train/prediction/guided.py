"""Generation restricted to the grammars of answers (llguidance)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas.answers import Prompt
from schemas.errors import MachineError

if TYPE_CHECKING:
    import numpy as np
    import torch

SPARE_TOKENS = 16
"""The tokens left for the rest of a word and its closing quote when an answer has to end."""


CLOSING = ("]}", '"]}', "[]", "{}")
"""The characters of the tokens that an answer takes when it has to end, the first choice first: it closes objects and
lists, then strings, then opens a string (for NAN) rather than a list, and lists and objects that stay empty.
"""

BLANKS = "Ġ▁ "
"""How vocabularies write a blank at the beginning of a token."""


class Guide:
    """Creates logits processors that allow only the tokens of the grammar of each prompt.

    `tokenizer`: a fast one. `vocabulary_size`: the width of the model's scores.
    Raises MachineError if llguidance is not installed.
    """

    def __init__(self, tokenizer, vocabulary_size: int, end_tokens: Sequence[int]):
        try:
            import llguidance
            import llguidance.hf
        except ImportError as error:
            raise MachineError("--guided needs llguidance: pip install -c constraints.txt -e '.[train]'") from error
        import numpy as np

        self.matcher = llguidance.LLMatcher
        self.tokenizer = tokenizer
        self.vocabulary = llguidance.hf.from_tokenizer(
            tokenizer, n_vocab=vocabulary_size, eos_token=list(end_tokens), slices=None
        )
        tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
        self.closing = np.zeros((1 + len(CLOSING), vocabulary_size), bool)
        self.closing[0, list(end_tokens)] = True
        for rank, characters in enumerate(CLOSING, 1):
            self.closing[rank, : len(tokens)] = [
                bool(token) and not token.strip(BLANKS + characters) and bool(token.strip(BLANKS)) for token in tokens
            ]

    def processor(self, prompts: Sequence[Prompt], rooms: Sequence[int], prompt_length: int) -> "Processor":
        """The logits processor of one batch: row n follows the grammar of `prompts[n]`, or is free if it has none, and
        has at most `rooms[n]` tokens. Prompts are padded to `prompt_length` tokens.
        """
        matchers = [
            None if prompt.grammar is None else self.matcher(self.vocabulary, prompt.grammar) for prompt in prompts
        ]
        for matcher in matchers:
            if matcher is not None and matcher.is_error():
                raise ValueError(matcher.get_error())
        endings = self.tokenizer([prompt.ending for prompt in prompts], add_special_tokens=False)["input_ids"]
        free = [room - len(ending) - SPARE_TOKENS for room, ending in zip(rooms, endings, strict=True)]
        return Processor(matchers, free, self.closing, prompt_length)


class Processor:
    """Called by `generate` at each step: `(token ids so far, scores) -> scores`, with forbidden tokens at -inf.

    `free`: row → the number of tokens after which its answer has to end: of the tokens that its grammar allows, only
    those of the first row of `closing` (rank x token id) that has one of them stay allowed. `is_ended`: row → whether
    this happened.
    """

    def __init__(self, matchers: Sequence, free: Sequence[int], closing: "np.ndarray", prompt_length: int):
        self.matchers, self.free, self.closing = matchers, free, closing
        self.start = self.seen = prompt_length
        self.is_ended = [False] * len(matchers)

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        import numpy as np
        import torch

        for tokens, matcher in zip(input_ids[:, self.seen :].tolist(), self.matchers, strict=True):
            if matcher is not None and not matcher.is_stopped():
                matcher.consume_tokens(tokens)
        self.seen = input_ids.shape[1]
        allowed = np.ones((len(self.matchers), scores.shape[1]), bool)
        for row, matcher in enumerate(self.matchers):
            if matcher is None or matcher.is_stopped():
                continue
            allowed[row] = np.frombuffer(matcher.compute_logit_bias(), np.uint8)[: scores.shape[1]] > 0
            if self.seen - self.start >= self.free[row]:
                self.is_ended[row] = True
                closing = allowed[row] & self.closing
                if closing.any():
                    allowed[row] = closing[closing.any(axis=1).argmax()]
        mask = torch.from_numpy(allowed).to(scores.device)
        return scores.masked_fill(~mask, float("-inf"))
