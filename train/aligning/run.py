"""A validated recipe → an adapter trained by DPO or GRPO in the output folder, and a summary."""

import dataclasses
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from schemas.errors import ConfigError
from train import chat, load, output_file
from train.aligning import rows
from train.aligning.recipe import TuneRecipe
from train.notes import is_first_process
from train.refusals import first_line, training_errors
from train.reward import reward
from train.tuning import card
from train.tuning.curve import mean_loss, points
from train.tuning.options import adapter_options, refuse_recipe_keys
from train.tuning.output_folder import check as check_output
from train.tuning.output_folder import claim, finished
from train.tuning.recipe import options
from train.tuning.run import log
from transforms import files, yaml_values

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer
    from trl import DPOConfig, GRPOConfig

RECIPE, SUMMARY = "tune.yaml", "tune.json"
"""Files of the output folder: the recipe, written first and checked by --resume; the summary, written last."""

LEARNING_RATE = {"dpo": 5e-6, "grpo": 1e-5}
COMPLETION_TOKENS = 256
LOUD_SHARE = 0.05
"""A share of rows that are too long above which the line about them is a warning."""

CURVE = {
    "loss": "loss",
    "reward": "reward",
    "reward_std": "reward_std",
    "rewards/accuracies": "accuracy",
    "rewards/margins": "margin",
    "completions/mean_length": "answer_tokens",
    "completions/clipped_ratio": "cut",
    "kl": "kl",
}
"""Values that trl logs → their names in the curve of the summary."""

FORMS = {
    "loss": "loss {:.4f}",
    "reward": "reward {:.3f}",
    "reward_std": "± {:.3f}",
    "rewards/accuracies": "accuracy {:.1%}",
    "rewards/margins": "margin {:.4f}",
    "completions/mean_length": "{:.0f} answer tokens",
    "completions/clipped_ratio": "cut {:.0%}",
    "learning_rate": "lr {:.2e}",
}
"""Values that trl logs → how they are printed."""


@dataclasses.dataclass(frozen=True)
class Summary:
    """The result of a finished training. `curve`: for every logged step its number and the values of CURVE.

    `accuracy`: the share of pairs whose right answer gained more probability than the wrong one; `margin`: by how much,
    in nats times beta; `cut`: the share of answers that reached the token limit.
    """

    output: str
    method: str
    model: str
    adapter: str | None
    rows: rows.Counts
    steps: int
    train_loss: float | None
    trainable_parameters: int
    device: str
    dtype: str
    curve: list[dict[str, float]]


def train(recipe: TuneRecipe, resume: bool = False, debug: bool = False) -> Summary:
    """Trains by `recipe` and writes the adapter and the tokenizer with chat template into the folder `output`.

    Raises ConfigError and MachineError for invalid settings, data or models, and for an output folder in use.
    """
    check(recipe)
    is_first = is_first_process()
    if resume and (earlier := finished(recipe, Summary, RECIPE)):
        log(is_first, f"{recipe.output}: has finished already")
        return earlier
    checkpoint = claim(recipe, resume, RECIPE) if is_first or resume else None
    if not debug:
        load.quiet()
    if resume:
        state = f"resuming from {checkpoint}" if checkpoint else "no complete checkpoint; starting from the beginning"
        log(is_first, state)
    arguments = training_arguments(recipe)
    tokenizer, tokenised = read_rows(recipe, arguments)
    model = load.load_model(
        recipe.model,
        adapter=recipe.adapter,
        trainable=True,
        dtype=recipe.dtype,
        attn_implementation=recipe.attn_implementation,
        revision=recipe.model_revision,
        trust_remote_code=recipe.trust_remote_code,
    )
    load.check_tokens(model, tokenizer)
    model.generation_config = load.greedy(model, tokenizer)
    trainer = make_trainer(recipe, arguments, model, tokenizer, tokenised)
    with training_errors(arguments.device, lambda: advice(recipe, arguments), checkpoint):
        trainer.train(resume_from_checkpoint=checkpoint)
    trained: Any = trainer.model
    if "ref" in trained.peft_config:  # trl's copy of the adapter before this training
        trained.delete_adapter("ref")
    trainer.save_model(recipe.output)
    summary = Summary(
        output=recipe.output,
        method=recipe.method,
        model=recipe.model,
        adapter=recipe.adapter,
        rows=tokenised.counts,
        steps=trainer.state.global_step,
        train_loss=mean_loss(points(trainer.state.log_history)),
        trainable_parameters=sum(p.numel() for p in trained.parameters() if p.requires_grad),
        device=str(arguments.device),
        dtype="bfloat16" if arguments.bf16 else str(trained.dtype).removeprefix("torch."),
        curve=curve(trainer.state.log_history),
    )
    if is_first:
        card.write(recipe.output, recipe.adapter or recipe.model, "adapter", card_lines(recipe, summary))
        files.write_text(f"{recipe.output}/{SUMMARY}", as_json(summary) + "\n")
    return summary


def advice(recipe: TuneRecipe, arguments: "DPOConfig | GRPOConfig") -> str:
    """The settings that memory depends on, with their values."""
    names = ["per_device_train_batch_size", *(["num_generations"] if recipe.method == "grpo" else [])]
    options = ", ".join(f"training.{name} {getattr(arguments, name)}" for name in names)
    return f"{options} and max_length {recipe.max_length}; lower one of them"


def check(recipe: TuneRecipe) -> None:
    """Checks the paths and settings of `recipe` that can be checked without importing torch.

    Raises ConfigError and MachineError.
    """
    refuse_recipe_keys(recipe.training)
    output_file.check_folder("--output", recipe.output)
    if recipe.chat_template:
        chat.read_template(recipe.chat_template)
    rows.check(recipe)
    load.check(recipe.model, recipe.adapter)


def prepare(recipe: TuneRecipe, resume: bool = False, debug: bool = False) -> rows.Counts:
    """Checks everything that `train` checks before it loads the model, and counts the rows; writes nothing."""
    check(recipe)
    check_output(recipe, resume, RECIPE)
    if not debug:
        load.quiet()
    return read_rows(recipe, training_arguments(recipe))[1].counts


def read_rows(recipe: TuneRecipe, arguments: "DPOConfig | GRPOConfig") -> tuple["PreTrainedTokenizerBase", rows.Rows]:
    """The tokenizer, and the rows for it; prints their counts."""
    from trl import DPOConfig

    with arguments.main_process_first(desc="rows"):
        tokenizer = chat.load_tokenizer(
            recipe.model,
            adapter=recipe.adapter,
            chat_template=recipe.chat_template,
            eos_token=recipe.eos_token,
            revision=recipe.model_revision,
            trust_remote_code=recipe.trust_remote_code,
        )
        if isinstance(arguments, DPOConfig):
            read = rows.pairs(recipe, tokenizer)
        else:
            read = rows.prompts(recipe, tokenizer, arguments.max_completion_length or recipe.max_length)
    log(is_first_process(), counts_line(recipe, read.counts))
    return tokenizer, read


def training_arguments(recipe: TuneRecipe) -> "DPOConfig | GRPOConfig":
    """The options of trl's trainer: our defaults, overridden by the section `training` of the recipe."""
    import torch
    from trl import DPOConfig, GRPOConfig

    kind = DPOConfig if recipe.method == "dpo" else GRPOConfig
    values = options(recipe.training, kind, "training")
    defaults: dict[str, Any] = {
        "learning_rate": LEARNING_RATE[recipe.method],
        "bf16": load.has_bfloat16() and not values.get("fp16") and recipe.dtype in ("auto", "bfloat16"),
        "use_cpu": not torch.accelerator.is_available(),  # without it, several processes on CPUs would train separately
        "ddp_find_unused_parameters": False,
        "report_to": "none",
        "disable_tqdm": not sys.stderr.isatty(),
        **({} if recipe.beta is None else {"beta": recipe.beta}),
        **({"max_length": None} if recipe.method == "dpo" else {"max_completion_length": COMPLETION_TOKENS}),
    }
    try:
        return kind(output_dir=recipe.output, **{**defaults, **values})
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"training: {first_line(error)}") from error


def make_trainer(
    recipe: TuneRecipe,
    arguments: "DPOConfig | GRPOConfig",
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    tokenised: rows.Rows,
) -> "Trainer":
    from trl import DPOTrainer, GRPOTrainer

    from train.tuning import progress

    class TokenisedPairs(DPOTrainer):
        """Takes pairs that are tokenised already: trl would render and tokenise their messages itself."""

        def _prepare_dataset(self, dataset, *_):
            return dataset

    shared = {
        "model": model,
        "args": arguments,
        "train_dataset": tokenised.train,
        "processing_class": tokenizer,
        "peft_config": adapter_options(recipe.as_sft),
    }
    try:
        if recipe.method == "dpo":
            trainer: Trainer = TokenisedPairs(**shared)
        else:
            trainer = GRPOTrainer(reward_funcs=cast("Callable[..., list[float | None]]", reward), **shared)
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"trl rejected the options: {first_line(error)}") from error
    progress.show(trainer, FORMS)
    return trainer


def curve(log_history: list[dict[str, float]]) -> list[dict[str, float]]:
    """The values of CURVE at each step that has a loss."""
    return [
        {"step": entry["step"], **{name: round(entry[key], 4) for key, name in CURVE.items() if key in entry}}
        for entry in log_history
        if "loss" in entry
    ]


def counts_line(recipe: TuneRecipe, counts: rows.Counts) -> str:
    parts = [f"{counts.train:,} {'pairs' if recipe.method == 'dpo' else 'rows'}"]
    if counts.too_long:
        parts.append(f"{counts.too_long:,} longer than {recipe.max_length} tokens skipped")
    if counts.special:
        parts.append(f"{counts.special:,} with a special token skipped")
    is_loud = counts.too_long > LOUD_SHARE * (counts.train + counts.too_long)
    return f"{'warning: ' if is_loud else ''}training on {', '.join(parts)}"


def card_lines(recipe: TuneRecipe, summary: Summary) -> list[str]:
    """The section of the model card on this training."""
    pairs = "pairs of a right and a wrong answer" if recipe.method == "dpo" else "rows, with F1 as the reward"
    settings = yaml_values.render(card.recipe_facts(recipe)).splitlines()
    return [
        "",
        f"## {recipe.method.upper()}",
        "",
        f"These weights were then trained by {recipe.method.upper()} on {summary.rows.train:,} {pairs}, "
        f"{summary.steps:,} steps. The figures above are those before.",
        *("", "```yaml", *settings, "```"),
    ]


def as_json(summary: Summary) -> str:
    return json.dumps(dataclasses.asdict(summary), ensure_ascii=False, indent=1)


def as_text(summary: Summary) -> str:
    ends = [summary.curve[n] for n in (0, -1)] if summary.curve else []
    name = "accuracy" if summary.method == "dpo" else "reward"
    change = f", {name} {' → '.join(f'{end[name]:.3f}' for end in ends)}" if ends else ""
    return (
        f"{summary.output}: adapter for {summary.model} by {summary.method}, {summary.rows.train:,} "
        f"{'pairs' if summary.method == 'dpo' else 'rows'}, {summary.steps:,} steps, loss {summary.train_loss}{change}"
    )
