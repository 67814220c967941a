"""A validated recipe → a trained model or adapter in the output folder, and a summary."""

import dataclasses
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

from schemas.errors import ConfigError, MachineError, printable
from train import chat, corpus, load, output_file, tiny
from train.refusals import first_line
from train.tuning import packing, rows
from train.tuning.recipe import Recipe, options
from transforms import yaml_values

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import SFTConfig, SFTTrainer

    from train.aligning.recipe import TuneRecipe

RECIPE, BASE, SUMMARY = "sft.yaml", "base", "sft.json"
"""Files of the output folder: the recipe, written first and checked by --resume; the random model; the summary,
written last, when the training has finished."""

RECIPE_KEYS = {
    "output_dir": "output",
    "chat_template_path": "chat_template",
    "eos_token": "eos_token",
    "trust_remote_code": "trust_remote_code",
    "model_init_kwargs": "dtype, attn_implementation, model_revision",
    "resume_from_checkpoint": "--resume",
}
"""Options of SFTConfig that the recipe sets elsewhere → the names of these settings."""

LEARNING_RATE = {"lora": 2e-4, "qlora": 2e-4, "full": 2e-5}
LORA = {"r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "target_modules": "all-linear"}


@dataclasses.dataclass(frozen=True)
class Summary:
    """The result of a finished training. Losses are means over answer tokens, in nats."""

    output: str
    model: str
    method: str
    rows: rows.Counts
    steps: int
    train_loss: float
    validation_loss: float | None
    trainable_parameters: int
    device: str
    dtype: str


def train(recipe: Recipe, resume: bool = False, debug: bool = False) -> Summary:
    """Trains by `recipe` and writes model (or adapter) and tokenizer with chat template into the folder `output`.

    Raises ConfigError and MachineError for invalid settings, data or models, and for an output folder in use.
    """
    check(recipe)
    is_first = os.environ.get("RANK", "0") == "0"
    checkpoint = claim(recipe, resume) if is_first or resume else None
    import torch  # takes up to half a minute, so after the paths are checked
    import transformers

    if not debug:
        load.quiet()
    if resume:
        log(
            is_first,
            f"resuming from {checkpoint}" if checkpoint else "no complete checkpoint; starting from the beginning",
        )
    arguments, adapter = training_arguments(recipe), adapter_options(recipe)
    if recipe.method == "qlora":
        load.four_bits()
    with arguments.main_process_first(desc="model and rows"):
        name = tiny_base(recipe, arguments.seed) if recipe.model == tiny.NAME else recipe.model
        tokenizer = chat.load_tokenizer(
            name,
            adapter=recipe.adapter,
            chat_template=recipe.chat_template,
            eos_token=recipe.eos_token,
            revision=recipe.model_revision,
            trust_remote_code=recipe.trust_remote_code,
        )
        tokenised = rows.tokenize(
            recipe, tokenizer, arguments.max_length, arguments.seed, workers=arguments.dataset_num_proc
        )
    log(is_first, counts_line(tokenised.counts, arguments.max_length, recipe.streaming))
    if tokenised.validation is None:
        arguments.eval_strategy = transformers.trainer_utils.IntervalStrategy.NO
    model = load.load_model(
        name,
        adapter=recipe.adapter,
        trainable=True,
        dtype="float32" if recipe.method == "full" and recipe.dtype == "auto" else recipe.dtype,
        four_bit=recipe.method == "qlora",
        attn_implementation=recipe.attn_implementation,
        revision=recipe.model_revision,
        trust_remote_code=recipe.trust_remote_code,
    )
    packing.check(arguments, model)
    load.check_tokens(model, tokenizer)
    model.generation_config = load.greedy(model, tokenizer)
    trainer = make_trainer(arguments, model, tokenizer, adapter, tokenised)
    try:
        done = trainer.train(resume_from_checkpoint=checkpoint)
        last = next((entry for entry in reversed(trainer.state.log_history) if "eval_loss" in entry), {})
        if tokenised.validation is not None and last.get("step") != done.global_step:
            last = trainer.evaluate()
    except torch.cuda.OutOfMemoryError as error:
        raise MachineError(
            "the GPU's memory is full; lower training.per_device_train_batch_size or training.max_length, "
            "or use method qlora"
        ) from error
    except torch.AcceleratorError as error:
        raise MachineError(f"{arguments.device}: {first_line(error)}") from error
    # an option of the optimizer or the data loader is out of range, or the model does not run with its config
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError) as error:
        raise ConfigError(f"training: {first_line(error)}") from error
    trainer.save_model(recipe.output)
    trainable = [p for p in trainer.model.parameters() if p.requires_grad]
    summary = Summary(
        output=recipe.output,
        model=recipe.model,
        method=recipe.method,
        rows=tokenised.counts,
        steps=done.global_step,
        train_loss=round(done.training_loss, 4),
        validation_loss=round(last["eval_loss"], 4) if last else None,
        trainable_parameters=sum(p.numel() for p in trainable),
        device=str(arguments.device),
        dtype="bfloat16" if arguments.bf16 else str(trainer.model.dtype).removeprefix("torch."),
    )
    if is_first:
        with open(f"{recipe.output}/{SUMMARY}", "w", encoding="utf-8") as file:
            file.write(as_json(summary) + "\n")
    return summary


def check(recipe: Recipe) -> None:
    """Checks the paths and settings of `recipe` that can be checked without importing torch.

    Raises ConfigError and MachineError.
    """
    for key, name in RECIPE_KEYS.items():
        if key in recipe.training:
            raise ConfigError(f"training.{key}: use {name} instead")
    if recipe.training.get("max_length", 1) is None:
        raise ConfigError("training.max_length: set the maximum length of a row in tokens, for example 2048")
    output_file.check_folder("--output", recipe.output)
    if recipe.chat_template:
        chat.read_template(recipe.chat_template)
    corpus.check(recipe.data, "train")
    if recipe.model != tiny.NAME:
        load.check(recipe.model, recipe.adapter)


def claim(recipe: "Recipe | TuneRecipe", resume: bool, name: str = RECIPE) -> str | None:
    """Writes the recipe into the file `name` of the output folder and returns the checkpoint to resume from, None if
    there is none.

    Raises ConfigError for a folder with other files or with a training by another recipe.
    """
    path = f"{recipe.output}/{name}"
    written = recipe.model_dump(mode="json")
    present = os.listdir(recipe.output) if os.path.isdir(recipe.output) else []
    if present and not resume:
        if name not in present or set(present) - {name, BASE}:
            raise ConfigError(f"{recipe.output}: not empty; choose a new folder, or continue with --resume")
        shutil.rmtree(
            f"{recipe.output}/{BASE}", ignore_errors=True
        )  # left by a training that failed before its first step
    elif present:
        if name not in present:
            raise ConfigError(f"{recipe.output}: not the folder of a training (no {name}); choose another")
        earlier = yaml_values.read(path, "start again in another folder")
        if not isinstance(earlier, dict):
            raise ConfigError(f"{path}: not the settings of a training; start again in another folder")
        changed = [key for key in written if earlier.get(key) != written[key] and key not in ("training", "output")]
        if changed:
            raise ConfigError(
                f"{path}: made with another {', '.join(changed)}; resume with the same, or use another folder"
            )
    os.makedirs(recipe.output, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(yaml_values.render(written))
    steps = [int(entry.removeprefix("checkpoint-")) for entry in present if entry.startswith("checkpoint-")]
    complete = [step for step in steps if os.path.exists(f"{recipe.output}/checkpoint-{step}/trainer_state.json")]
    return f"{recipe.output}/checkpoint-{max(complete)}" if complete else None


def training_arguments(recipe: Recipe) -> "SFTConfig":
    """The options of trl's trainer: our defaults, overridden by the section `training` of the recipe."""
    import torch
    from trl import SFTConfig

    values = options(recipe.training, SFTConfig, "training")
    if recipe.streaming and values.get("max_steps", -1) <= 0:
        raise ConfigError("streaming: the number of rows is unknown; set training.max_steps")
    has_bfloat16 = load.has_bfloat16() and not values.get("fp16") and recipe.dtype in ("auto", "bfloat16")
    defaults = {
        "learning_rate": LEARNING_RATE[recipe.method],
        "max_length": 2048,
        "bf16": has_bfloat16,
        "use_cpu": not torch.accelerator.is_available(),  # without it, several processes on CPUs would train separately
        "completion_only_loss": True,
        "eval_strategy": "epoch",
        "ddp_find_unused_parameters": False,
        "report_to": "none",
        "disable_tqdm": not sys.stderr.isatty(),
    }
    try:
        arguments = SFTConfig(output_dir=recipe.output, **{**defaults, **values})
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"training: {first_line(error)}") from error
    if arguments.packing and arguments.packing_strategy != "bfd":
        raise ConfigError(f"training.packing_strategy {arguments.packing_strategy}: cuts rows into pieces; use bfd")
    return arguments


def tiny_base(recipe: Recipe, seed: int) -> str:
    """Returns the folder of the random model, and creates it from the training rows if it does not exist."""
    folder = f"{recipe.output}/{BASE}"
    if not os.path.exists(f"{folder}/model.safetensors"):
        training = corpus.rows(
            recipe.data, "train", tasks=recipe.tasks, sources=recipe.sources, revision=recipe.data_revision
        )
        texts = (row["instruction"] + (row["output"] or "") for row in training)
        tiny.save(texts, folder, seed=seed, **recipe.tiny.model_dump())
    return folder


def adapter_options(recipe: Recipe) -> "LoraConfig | None":
    """The options of a new adapter: our defaults, overridden by the section `lora` of the recipe. None if the training
    has no new adapter.
    """
    from peft import LoraConfig

    if recipe.method == "full" or recipe.adapter:
        return None
    values = options(recipe.lora, LoraConfig, "lora")
    try:
        return LoraConfig(task_type="CAUSAL_LM", **{**LORA, "revision": load.content_id(recipe.model), **values})
    except (ValueError, TypeError) as error:
        raise ConfigError(f"lora: {first_line(error)}") from error


def make_trainer(
    arguments: "SFTConfig",
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    adapter: "LoraConfig | None",
    tokenised: rows.Rows,
) -> "SFTTrainer":
    from trl import SFTTrainer

    try:
        return SFTTrainer(
            model=model,
            args=arguments,
            train_dataset=tokenised.train,
            eval_dataset=tokenised.validation,
            processing_class=tokenizer,
            peft_config=adapter,
        )
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"trl rejected the options: {first_line(error)}") from error


def counts_line(counts: rows.Counts, max_length: int, streaming: bool) -> str:
    parts = [f"{counts.train:,} rows ({counts.tokens:,} tokens, {counts.answer_tokens:,} of them answers)"]
    if streaming:
        parts = ["a stream"]
    if counts.too_long:
        parts.append(f"{counts.too_long:,} longer than {max_length} tokens skipped")
    if counts.special:
        parts.append(f"{counts.special:,} with a special token skipped")
    if counts.negatives_cut:
        parts.append(f"{counts.negatives_cut:,} all-negative skipped")
    return f"training on {', '.join(parts)}; {counts.validation:,} validation rows"


def log(is_first: bool, line: str) -> None:
    if is_first:
        print(printable(line), file=sys.stderr)


def as_json(summary: Summary) -> str:
    return json.dumps(dataclasses.asdict(summary), ensure_ascii=False, indent=1)


def as_text(summary: Summary) -> str:
    kind = "model" if summary.method == "full" else f"adapter for {summary.model}"
    skipped = f", {summary.rows.too_long:,} rows too long" if summary.rows.too_long else ""
    skipped += f", {summary.rows.special:,} rows with a special token" if summary.rows.special else ""
    loss = "" if summary.validation_loss is None else f", validation loss {summary.validation_loss}"
    return f"{summary.output}: {kind}, {summary.steps:,} steps, loss {summary.train_loss}{loss}{skipped}"
