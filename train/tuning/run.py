"""A validated recipe → a trained model or adapter in the output folder, and a summary."""

import os
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError, printable
from train import chat, corpus, load, output_file, tiny
from train.notes import is_first_process
from train.refusals import training_errors
from train.tuning import budget, card, lengths, memory, output_folder, packages, packing, rows
from train.tuning.curve import mean_loss, point_at, points, tokens_per_second
from train.tuning.options import adapter_options, refuse_recipe_keys, training_arguments
from train.tuning.output_folder import BASE, claim
from train.tuning.output_folder import check as check_output
from train.tuning.recipe import Recipe
from train.tuning.summary import Summary, counts_line

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
    from trl import SFTConfig

    from train.tuning.answer_sample import AnswerSample
    from train.tuning.trainer import Trainer


@dataclass(frozen=True)
class Prepared:
    """What a training starts from. `longest`: tokens of the longest row that it may see."""

    trainer: "Trainer"
    tokenised: rows.Rows
    longest: int


def train(recipe: Recipe, resume: bool = False, debug: bool = False) -> Summary:
    """Trains by `recipe` and writes model (or adapter) and tokenizer with chat template into the folder `output`.

    Raises ConfigError and MachineError for invalid settings, data or models, and for an output folder in use.
    """
    check(recipe)
    is_first = is_first_process()
    if resume and (summary := output_folder.finished(recipe, Summary)):
        log(is_first, f"{recipe.output}: has finished already")
        if is_first:
            complete(recipe)
        return summary
    checkpoint = claim(recipe, resume) if is_first or resume else None
    if resume:
        log(
            is_first,
            f"resuming from {checkpoint}" if checkpoint else "no complete checkpoint; starting from the beginning",
        )
    prepared = prepare(recipe, debug)
    trainer, tokenised = prepared.trainer, prepared.tokenised
    arguments: Any = trainer.args
    with training_errors(arguments.device, lambda: memory.advice(recipe, arguments, prepared.longest), checkpoint):
        trainer.train(resume_from_checkpoint=checkpoint)
        best_step = trainer.state.best_global_step if arguments.load_best_model_at_end else None
        saved_step = best_step or trainer.state.global_step
        if tokenised.validation and "validation_loss" not in point_at(saved_step, trainer.state.log_history):
            trainer.evaluate()
    trainer.save_model(recipe.output)
    trained: Any = trainer.model
    trainable = [p for p in trained.parameters() if p.requires_grad]
    history = trainer.state.log_history
    curve = points(history)
    saved = point_at(saved_step, history)
    summary = Summary(
        output=recipe.output,
        model=recipe.model,
        data=recipe.data,
        sources=card.data_facts(sorted({each.source for each in tokenised.lengths}), recipe.data),
        method=recipe.method,
        recipe=card.recipe_facts(recipe),
        rows=tokenised.counts,
        lengths=tokenised.lengths,
        steps=trainer.state.global_step,
        epochs=trainer.state.epoch,
        saved_step=saved_step,
        train_loss=mean_loss(curve),
        validation_loss=saved.get("validation_loss"),
        f1=saved.get("f1"),
        tokens=int(max((entry.get("tokens", 0) for entry in history), default=0)),
        seconds=max((entry.get("seconds", 0.0) for entry in history), default=0.0),
        tokens_per_s=tokens_per_second(history),
        trainable_parameters=sum(p.numel() for p in trainable),
        device=str(arguments.device),
        dtype="bfloat16" if arguments.bf16 else str(trained.dtype).removeprefix("torch."),
        curve=curve,
    )
    if is_first:
        output_folder.write(recipe.output, summary)
        complete(recipe)
    return summary


def complete(recipe: Recipe) -> None:
    """Writes the card of a finished training and removes its checkpoints."""
    card.write(recipe.output, recipe.output, "model" if recipe.method == "full" else "adapter")
    output_folder.remove_checkpoints(recipe.output, recipe.checkpoints)


def dry_run(recipe: Recipe, resume: bool = False, debug: bool = False) -> None:
    """Checks everything that `train` checks before its first step, prints lengths, memory and steps; writes nothing.

    Raises the errors of `train`.
    """
    check(recipe)
    check_output(recipe, resume)
    with tempfile.TemporaryDirectory() as folder:
        prepare(recipe.model_copy(update={"output": folder}), debug)


def prepare(recipe: Recipe, debug: bool = False) -> Prepared:
    """Loads the rows and the model of a checked `recipe`; prints lengths, the memory of a step and the steps."""
    is_first = is_first_process()
    from train.tuning.trainer import make  # torch takes up to half a minute, so after the paths are checked

    if not debug:
        load.quiet()
    arguments, adapter = training_arguments(recipe), adapter_options(recipe)
    max_length = arguments.max_length or 0  # never None: see `check`
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
        tokenised = rows.tokenize(recipe, tokenizer, max_length, arguments.seed, workers=arguments.dataset_num_proc)
    if tokenised.lengths:
        log(is_first, *lengths.table(tokenised.lengths, max_length).splitlines())
        log(is_first, *map("warning: {}".format, lengths.warnings(tokenised.lengths, max_length)))
    log(is_first, counts_line(tokenised.counts, max_length, recipe.streaming))
    if recipe.token_budget:
        arguments.max_steps = budget.steps(recipe.token_budget, tokenised.counts, arguments)
    sample = answer_sample(recipe, tokenised, tokenizer, arguments, max_length)
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
    trainer = make(arguments, model, tokenizer, adapter, tokenised, sample, recipe.early_stopping)
    longest = max_length
    if tokenised.lengths and not arguments.packing:
        longest = min(longest, max(each.longest for each in tokenised.lengths))
    with training_errors(arguments.device, lambda: memory.advice(recipe, arguments, longest)):
        if not (trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled):
            needed = memory.estimate(trainer, longest)
            log(is_first, needed.line(arguments.device))
            if needed.total > memory.capacity(arguments.device):
                log(is_first, f"warning: this does not fit: {memory.advice(recipe, arguments, longest)}")
    rows_per_step = budget.rows_per_step(arguments)
    log(is_first, f"{budget.planned_steps(trainer):,} steps of {rows_per_step:,} rows")
    return Prepared(trainer, tokenised, longest)


def check(recipe: Recipe) -> None:
    """Checks the paths and settings of `recipe` that can be checked without importing torch.

    Raises ConfigError and MachineError.
    """
    refuse_recipe_keys(recipe.training)
    if recipe.training.get("max_length", 1) is None:
        raise ConfigError("training.max_length: set the maximum length of a row in tokens, for example 2048")
    packages.check(recipe)
    budget.check(recipe)
    output_file.check_folder("--output", recipe.output)
    if recipe.chat_template:
        chat.read_template(recipe.chat_template)
    corpus.check(recipe.data, "train")
    if recipe.model != tiny.NAME:
        load.check(recipe.model, recipe.adapter)


def answer_sample(
    recipe: Recipe,
    tokenised: rows.Rows,
    tokenizer: "PreTrainedTokenizerBase",
    arguments: "SFTConfig",
    max_length: int,
) -> "AnswerSample | None":
    """The sample for `eval_f1`, None without it. Switches validation off if there are no rows for it.

    Raises ConfigError if a setting needs validation rows that do not exist, and as `answer_sample.draw` does.
    """
    from train.tuning import answer_sample

    if tokenised.validation is None:
        if recipe.eval_f1 or recipe.keep == "best":
            raise ConfigError(
                f"{'eval_f1' if recipe.eval_f1 else 'keep best'}: {recipe.data} has no validation rows of at most "
                f"{max_length} tokens; raise validation_share or training.max_length, or remove the setting"
            )
        arguments.eval_strategy = "no"
    if not recipe.eval_f1 or tokenised.held_out is None:
        return None
    return answer_sample.draw(tokenised.held_out, recipe.eval_f1.texts, tokenizer, max_length, arguments.seed)


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


def log(is_first: bool, *lines: str) -> None:
    for line in lines if is_first else ():
        print(printable(line), file=sys.stderr)
