"""A checked recipe → a trained model or adapter in its output folder, and what became of the rows on the way."""

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

RECIPE, BASE, SUMMARY = "sft.yaml", "base", "sft.json"
"""Written first, by which --resume knows its own folder; the random model; written last: a finished training."""

OWN_KEYS = {
    "output_dir": "output",
    "chat_template_path": "chat_template",
    "eos_token": "eos_token",
    "trust_remote_code": "trust_remote_code",
    "model_init_kwargs": "dtype, attn_implementation, model_revision",
    "resume_from_checkpoint": "--resume",
}
"""Options of SFTConfig that are settings of the recipe itself → their names there."""

LEARNING_RATE = {"lora": 2e-4, "qlora": 2e-4, "full": 2e-5}
LORA = {"r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "target_modules": "all-linear"}


@dataclasses.dataclass(frozen=True)
class Summary:
    """A finished training. Losses are means over answer tokens, in nats."""

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
    """Trains as `recipe` says and writes model (or adapter) and tokenizer with its chat template into `output`.

    Raises ConfigError and MachineError as the parts do, and ConfigError for an output folder that is in use.
    """
    check(recipe)
    is_first = os.environ.get("RANK", "0") == "0"
    checkpoint = claim(recipe, resume) if is_first or resume else None
    import torch  # half a minute; what can be wrong with paths has been said
    import transformers

    if not debug:
        load.quiet()
    if resume:
        say(is_first, f"going on from {checkpoint}" if checkpoint else "no whole checkpoint; going on from the start")
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
        found = rows.tokenised(
            recipe, tokenizer, arguments.max_length, arguments.seed, workers=arguments.dataset_num_proc
        )
    say(is_first, told(found.counts, arguments.max_length, recipe.streaming))
    if found.validation is None:
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
    trainer = trainer_of(arguments, model, tokenizer, adapter, found)
    try:
        done = trainer.train(resume_from_checkpoint=checkpoint)
        last = next((entry for entry in reversed(trainer.state.log_history) if "eval_loss" in entry), {})
        if found.validation is not None and last.get("step") != done.global_step:
            last = trainer.evaluate()
    except torch.cuda.OutOfMemoryError as error:
        raise MachineError(
            "the GPU's memory is full; lower training.per_device_train_batch_size or training.max_length, "
            "or take method qlora"
        ) from error
    except torch.AcceleratorError as error:
        raise MachineError(f"{arguments.device}: {first_line(error)}") from error
    # an option of the optimizer or the loader that is out of range, or a config with which the model does not run
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError) as error:
        raise ConfigError(f"training: {first_line(error)}") from error
    trainer.save_model(recipe.output)
    trainable = [p for p in trainer.model.parameters() if p.requires_grad]
    summary = Summary(
        output=recipe.output,
        model=recipe.model,
        method=recipe.method,
        rows=found.counts,
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
    """Every path and setting of `recipe` of which something can be told before torch is imported.

    Raises ConfigError and MachineError as reading would.
    """
    for key, name in OWN_KEYS.items():
        if key in recipe.training:
            raise ConfigError(f"training.{key}: give {name} instead")
    if recipe.training.get("max_length", 1) is None:
        raise ConfigError("training.max_length: give the tokens of the longest row to train on, for example 2048")
    output_file.check_folder("--output", recipe.output)
    if recipe.chat_template:
        chat.read_template(recipe.chat_template)
    corpus.check(recipe.data, "train")
    if recipe.model != tiny.NAME:
        load.check(recipe.model, recipe.adapter)


def claim(recipe: Recipe, resume: bool) -> str | None:
    """Writes the recipe into the output folder; returns the checkpoint to go on from, if there is one.

    Raises ConfigError for a folder that holds something else, or a training by another recipe.
    """
    path = f"{recipe.output}/{RECIPE}"
    written = recipe.model_dump(mode="json")
    held = os.listdir(recipe.output) if os.path.isdir(recipe.output) else []
    if held and not resume:
        if RECIPE not in held or set(held) - {RECIPE, BASE}:
            raise ConfigError(f"{recipe.output}: not empty; name a new folder, or go on with --resume")
        shutil.rmtree(f"{recipe.output}/{BASE}", ignore_errors=True)  # of a training that failed before its first step
    elif held:
        if RECIPE not in held:
            raise ConfigError(f"{recipe.output}: not the folder of a training (no {RECIPE}); name another")
        earlier = yaml_values.read(path, "start anew in another folder")
        if not isinstance(earlier, dict):
            raise ConfigError(f"{path}: not the settings of a training; start anew in another folder")
        changed = [key for key in written if earlier.get(key) != written[key] and key not in ("training", "output")]
        if changed:
            raise ConfigError(f"{path}: made with another {', '.join(changed)}; resume with the same, or start anew")
    os.makedirs(recipe.output, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(yaml_values.render(written))
    steps = [int(name.removeprefix("checkpoint-")) for name in held if name.startswith("checkpoint-")]
    whole = [step for step in steps if os.path.exists(f"{recipe.output}/checkpoint-{step}/trainer_state.json")]
    return f"{recipe.output}/checkpoint-{max(whole)}" if whole else None


def training_arguments(recipe: Recipe) -> "SFTConfig":
    """The options of trl's trainer: our defaults, then the recipe's section `training`."""
    import torch
    from trl import SFTConfig

    given = options(recipe.training, SFTConfig, "training")
    if recipe.streaming and given.get("max_steps", -1) <= 0:
        raise ConfigError("streaming: nobody knows how many rows will come; give training.max_steps")
    has_bfloat16 = load.has_bfloat16() and not given.get("fp16") and recipe.dtype in ("auto", "bfloat16")
    defaults = {
        "learning_rate": LEARNING_RATE[recipe.method],
        "max_length": 2048,
        "bf16": has_bfloat16,
        "use_cpu": not torch.accelerator.is_available(),  # several processes on CPUs are one training only if told so
        "completion_only_loss": True,
        "eval_strategy": "epoch",
        "ddp_find_unused_parameters": False,
        "report_to": "none",
        "disable_tqdm": not sys.stderr.isatty(),
    }
    try:
        arguments = SFTConfig(output_dir=recipe.output, **{**defaults, **given})
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"training: {first_line(error)}") from error
    if arguments.packing and arguments.packing_strategy != "bfd":
        raise ConfigError(f"training.packing_strategy {arguments.packing_strategy}: cuts rows apart; use bfd")
    return arguments


def tiny_base(recipe: Recipe, seed: int) -> str:
    """The folder of the random model, made from the corpus's own training rows unless it is there already."""
    folder = f"{recipe.output}/{BASE}"
    if not os.path.exists(f"{folder}/model.safetensors"):
        chosen = {"tasks": recipe.tasks, "sources": recipe.sources, "revision": recipe.data_revision}
        texts = (row["instruction"] + (row["output"] or "") for row in corpus.rows(recipe.data, "train", **chosen))
        tiny.save(texts, folder, seed=seed, **recipe.tiny.model_dump())
    return folder


def adapter_options(recipe: Recipe) -> "LoraConfig | None":
    """The new adapter to train: our defaults, then the recipe's section `lora`. None where there is no new one."""
    from peft import LoraConfig

    if recipe.method == "full" or recipe.adapter:
        return None
    given = options(recipe.lora, LoraConfig, "lora")
    try:
        return LoraConfig(task_type="CAUSAL_LM", **{**LORA, **given})
    except (ValueError, TypeError) as error:
        raise ConfigError(f"lora: {first_line(error)}") from error


def trainer_of(
    arguments: "SFTConfig",
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    adapter: "LoraConfig | None",
    found: rows.Rows,
) -> "SFTTrainer":
    from trl import SFTTrainer

    try:
        return SFTTrainer(
            model=model,
            args=arguments,
            train_dataset=found.train,
            eval_dataset=found.validation,
            processing_class=tokenizer,
            peft_config=adapter,
        )
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"trl refuses: {first_line(error)}") from error


def told(counts: rows.Counts, max_length: int, streaming: bool) -> str:
    parts = [f"{counts.train:,} rows ({counts.tokens:,} tokens, {counts.answer_tokens:,} of them answers)"]
    if streaming:
        parts = ["a stream"]
    if counts.too_long:
        parts.append(f"{counts.too_long:,} longer than {max_length} tokens left out")
    if counts.special:
        parts.append(f"{counts.special:,} that spell out a special token left out")
    if counts.negatives_cut:
        parts.append(f"{counts.negatives_cut:,} all-negative left out")
    return f"training on {', '.join(parts)}; {counts.validation:,} rows to validate"


def say(is_first: bool, line: str) -> None:
    if is_first:
        print(printable(line), file=sys.stderr)


def as_json(summary: Summary) -> str:
    return json.dumps(dataclasses.asdict(summary), ensure_ascii=False, indent=1)


def as_text(summary: Summary) -> str:
    what = "model" if summary.method == "full" else f"adapter for {summary.model}"
    left_out = f", {summary.rows.too_long:,} rows too long" if summary.rows.too_long else ""
    left_out += f", {summary.rows.special:,} rows with a special token" if summary.rows.special else ""
    loss = "" if summary.validation_loss is None else f", validation loss {summary.validation_loss}"
    return f"{summary.output}: {what}, {summary.steps:,} steps, loss {summary.train_loss}{loss}{left_out}"
