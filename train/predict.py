"""Run a model on a split of a corpus or on texts; write its answers and the annotations with offsets."""

import argparse
import sys
from collections.abc import Sequence
from typing import Annotated, Literal

from schemas import command, key_list
from schemas.answer_form import FORMS
from schemas.errors import ConfigError, names_hint
from schemas.example import TASKS
from transforms.endpoint import flags as endpoint_flags

EPILOG = """\
examples:
  %(prog)s --adapter out --data build --split test
  %(prog)s --model Qwen/Qwen3-4B --data build --tasks NER --shots 2 --guided
  %(prog)s --adapter out --texts notes.txt --task NER --labels person,place
  %(prog)s --endpoint http://localhost:8000/v1 --data build
  %(prog)s --config predict.yaml --split validation

Writes predictions.jsonl (for train.score), predictions.joined.jsonl (all extracted items of each text, with offsets)
and predictions.meta.json. After an interruption, run the same command again to resume.
Exit codes: 1 the machine or rows still without an answer, 2 configuration, 130 interrupted.
"""

BACKENDS = ("transformers", "vllm")
LISTS = ("tasks", "sources", "labels")
"""Flags that take comma-separated names."""

NO_SETTINGS = ("help", "debug", "json", "config")
"""Flags that cannot be set in a --config file."""

RANGES = {
    "max_new_tokens": (1, 1_000_000),
    "max_items": (1, 10_000),
    "batch_size": (1, 65_536),
    "limit": (1, 2**63 - 1),
    "shots": (0, 1000),
    **endpoint_flags.RANGES,
}
"""Flag → its minimum and maximum."""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("train.predict", __doc__, EPILOG, "predict.md")
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model",
        metavar="NAME|DIR|FILE",
        help="FILE: GGUF; default: the base model of --adapter, or the endpoint's only model",
    )
    model.add_argument("--adapter", metavar="NAME|DIR", help="a PEFT adapter")
    model.add_argument("--chat_template", metavar="FILE", help="a Jinja file; default: the model's own")
    model.add_argument("--backend", choices=BACKENDS, default="transformers", help="default: transformers")
    model.add_argument("--device", help="default: cuda, else mps, else cpu")
    model.add_argument("--four_bit", action="store_true", help="4-bit weights (CUDA, bitsandbytes)")
    model.add_argument("--model_revision", metavar="REV", help="revision of the model on the Hub")
    model.add_argument("--trust_remote_code", action="store_true", help="run code that comes with the model")
    endpoint_flags.add(parser.add_argument_group("endpoint", endpoint_flags.ABOUT))
    data = parser.add_argument_group("data")
    data.add_argument("--data", metavar="DIR|REPO|FILE", help="a build, a Hub repository or a JSON file of rows")
    data.add_argument("--split", default="test", help="default: test")
    data.add_argument("--tasks", metavar="T,T", help="default: all")
    data.add_argument("--sources", metavar="A,B", help="default: all")
    data.add_argument("--revision", metavar="REV", help="revision of the repository on the Hub")
    data.add_argument("--limit", type=int, metavar="N", help="at most N texts per task and source")
    texts = parser.add_argument_group("your own texts")
    texts.add_argument("--texts", metavar="FILE", help="one text per line, or JSON Lines (.jsonl) with text, id, lang")
    texts.add_argument("--labels", metavar="A,B|FILE", help="labels to extract")
    texts.add_argument("--descriptions", action="store_true", help="prompts with the descriptions in the label file")
    texts.add_argument(
        "--task",
        choices=TASKS,
        metavar="TASK",
        help="NER, RE, SPO, EE, EET, EEA or KG; of the texts, or of --data rows without a task",
    )
    texts.add_argument("--lang", help="a language code such as de; default: detected per text")
    texts.add_argument("--prompts", metavar="FILE", help="custom instruction texts (YAML: task → language → list)")
    texts.add_argument(
        "--form",
        choices=FORMS,
        metavar="FORM",
        help="form of the answers: nan, triples, sentences, spans; default: iepile",
    )
    texts.add_argument("--split_num", type=int, metavar="N", help="labels per prompt; default: as in training")
    texts.add_argument(
        "--max_chars", type=int, default=2000, metavar="N", help="maximum length of a window; default: 2000"
    )
    texts.add_argument(
        "--overlap_chars", type=int, default=200, metavar="N", help="overlap of two windows; default: 200"
    )
    generation = parser.add_argument_group("prompts and generation")
    generation.add_argument("--shots", type=int, default=0, metavar="K", help="solved examples before each prompt")
    generation.add_argument(
        "--guided", action="store_true", help="restrict answers to the labels and words of the prompt"
    )
    generation.add_argument(
        "--max_items", type=int, default=32, metavar="N", help="items in a list of a --guided answer; default: 32"
    )
    generation.add_argument(
        "--max_new_tokens",
        type=int,
        default=1024,
        metavar="N",
        help="maximum length of an answer, in tokens; default: 1024",
    )
    generation.add_argument("--batch_size", type=int, default=16, metavar="N", help="prompts per batch; default: 16")
    generation.add_argument("--seed", type=int, default=42, help="seed for prompts and examples; default: 42")
    generation.add_argument(
        "--label_order", type=int, metavar="SEED", help="permute the labels of each prompt with this seed"
    )
    run = parser.add_argument_group("run")
    run.add_argument(
        "--config", metavar="FILE", help="a YAML file of flags (batch_size: 8); flags of the command override it"
    )
    run.add_argument("--output", metavar="FILE", default="predictions.jsonl", help="default: predictions.jsonl")
    run.add_argument("--json", action="store_true", help="print the counts as JSON on stdout")
    return parser


def check_flags(arguments: argparse.Namespace) -> None:
    """Raises ConfigError for flags that contradict each other or a value that is out of range."""
    requested = arguments.tasks or []
    for task in key_list.split(requested, "--tasks") if isinstance(requested, str) else requested:
        if task not in TASKS:
            raise ConfigError(f"tasks: no task is called {task!r}; {names_hint(task, TASKS)}")
    if (arguments.data is None) == (arguments.texts is None):
        raise ConfigError("nothing to predict: pass either --data or --texts")
    if arguments.texts and not (arguments.labels and arguments.task):
        raise ConfigError("--texts needs --task and --labels")
    if arguments.data and arguments.descriptions:
        raise ConfigError("--descriptions is for --texts; rows of --data keep the prompts that they have")
    if arguments.form and not arguments.texts:
        raise ConfigError("--form is for --texts: the rows of --data say which form they ask for; remove the flag")
    if arguments.texts and arguments.shots:
        raise ConfigError("--shots takes its examples from the validation split of --data; --texts has none")
    if not arguments.endpoint and not (arguments.model or arguments.adapter):
        raise ConfigError("no model: pass --model, --adapter or --endpoint")
    if arguments.endpoint:
        for flag in ("adapter", "chat_template", "four_bit"):
            if getattr(arguments, flag):
                raise ConfigError(f"--{flag} cannot be used with --endpoint: the server sets it; remove the flag")
    endpoint_flags.check_ranges(arguments, RANGES)


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(parse, predict, flags, after_interrupt=command.RESUME_HINT)


def parse(flags: Sequence[str] | None) -> argparse.Namespace:
    """Returns the arguments: flags override the `--config` file, which overrides the defaults. Raises ConfigError."""
    parser = argument_parser()
    arguments = parser.parse_args(flags)
    if arguments.config is not None:
        parser.set_defaults(**read_config(arguments.config, parser))
        arguments = parser.parse_args(flags)
    return arguments


def read_config(path: str, parser: argparse.ArgumentParser) -> dict:
    """Reads flag → value from a YAML file. Values must have the types and ranges of the parser's flags; names may be a
    YAML list, and null stands for a flag that is not set.

    Raises ConfigError with file, line and key.
    """
    from pydantic import ConfigDict, create_model

    from transforms import settings

    flags = {flag.dest: flag for flag in parser._actions if flag.dest not in NO_SETTINGS}
    fields = {name: (value_type(flag), None) for name, flag in flags.items()}
    model = create_model("Flags", __config__=ConfigDict(extra="forbid"), **fields)
    checked = settings.check(model, settings.read(path, model, "--config takes a YAML file"))
    values = checked.model_dump(exclude_unset=True)
    return {name: value for name, value in values.items() if value is not None}


def value_type(flag: argparse.Action) -> object:
    """The type of a flag's value in a `--config` file."""
    from pydantic import Field

    if flag.choices:
        return Literal[tuple(flag.choices)] | None
    if flag.nargs == 0:
        return bool
    if flag.dest in LISTS:
        return str | Annotated[list[str], Field(min_length=1)] | None
    if flag.dest in RANGES:
        least, most = RANGES[flag.dest]
        return Annotated[flag.type, Field(strict=True, ge=least, le=most)] | None
    return Annotated[flag.type, Field(strict=True)] | None if flag.type else str | None


def predict(arguments: argparse.Namespace) -> int:
    check_flags(arguments)
    from train.prediction import predicting  # imports torch and datasets, so only after the flags are checked

    return predicting.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
