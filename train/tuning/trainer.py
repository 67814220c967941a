"""trl's trainer with the log, the figures and the validation of `train.sft`."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from transformers import EarlyStoppingCallback
from trl import SFTTrainer

from schemas.errors import ConfigError
from train.refusals import first_line
from train.tuning.answer_sample import FOLDER, AnswerSample, f1
from train.tuning.lengths import Lengths
from train.tuning.progress import show
from train.tuning.rows import Rows

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from transformers.trainer_utils import EvalLoopOutput
    from trl import SFTConfig


class Trainer(SFTTrainer):
    """Logs with every loss the seconds and tokens of the training so far, those before `--resume` included, and the
    tokens per second since the last log, without validation; the first log also has `figures`. With `sample`, each
    validation has an `eval_f1`.
    """

    def __init__(self, sample: AnswerSample | None, figures: dict[str, float], **options):
        super().__init__(**options)
        self.sample, self.figures = sample, figures
        self.progress = show(self)
        self.validation_seconds = 0.0
        self.logged_tokens, self.logged_seconds = 0, 0.0

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:
            tokens, seconds = self._total_train_tokens, self.progress.seconds() - self.validation_seconds
            logs["seconds"] = round(self.progress.seconds(), 2)
            logs["tokens"] = self.progress.earlier_tokens + tokens
            passed = seconds - max(self.logged_seconds, self.progress.earlier_seconds)
            logs["tokens_per_s"] = round((tokens - self.logged_tokens) / max(passed, 1e-3), 1)
            self.logged_tokens, self.logged_seconds = tokens, seconds
            logs |= self.figures
            self.figures = {}
        super().log(logs, start_time)

    def evaluation_loop(self, *args, **options) -> "EvalLoopOutput":
        output = super().evaluation_loop(*args, **options)
        if self.sample:
            model = self.accelerator.unwrap_model(self.model)
            tokenizer: Any = self.processing_class
            path = f"{self.args.output_dir}/{FOLDER}/step-{self.state.global_step}.jsonl"
            with self.compute_loss_context_manager():  # in the precision of the training
                figure = f1(self.sample, model, tokenizer, self.args.per_device_eval_batch_size, path)
            output = output._replace(metrics={**(output.metrics or {}), "eval_f1": figure})
        return output

    def evaluate(self, *args, **options) -> dict[str, float]:
        started = time.monotonic()
        metrics = super().evaluate(*args, **options)
        self.validation_seconds += time.monotonic() - started
        return metrics

    def forget_metrics(self) -> None:
        """Drops what losses that were computed outside of the training have left in trl's metrics."""
        self._metrics["train"].clear()
        self._total_train_tokens = 0

    def create_model_card(self, *args, **options) -> None:
        """Writes nothing: the card is written at the end of the training (`train.tuning.card`)."""


def by_source(lengths: Sequence[Lengths]) -> dict[str, float]:
    """Rows and tokens of an epoch by task and source, for the loggers of `report_to`."""
    return {
        f"{name}/{each.task}/{each.source}": figure
        for each in lengths
        for name, figure in (("rows", each.trained), ("source_tokens", each.tokens))
    }


def make(
    arguments: "SFTConfig",
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    adapter: "LoraConfig | None",
    tokenised: Rows,
    sample: AnswerSample | None,
    early_stopping: int | None,
) -> Trainer:
    """Raises ConfigError for options that trl or peft reject."""
    try:
        trainer = Trainer(
            sample=sample,
            figures=by_source(tokenised.lengths) if arguments.report_to else {},
            model=model,
            args=arguments,
            train_dataset=tokenised.train,
            eval_dataset=tokenised.validation,
            processing_class=tokenizer,
            peft_config=adapter,
        )
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"trl rejected the options: {first_line(error)}") from error
    if sample and (trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled):
        raise ConfigError(
            "eval_f1: cannot generate answers with a model that is distributed (FSDP, DeepSpeed); remove it"
        )
    if early_stopping:
        trainer.add_callback(EarlyStoppingCallback(early_stopping))
    return trainer
