"""Runs a model on a split of a corpus or on texts; writes answers and annotations with offsets."""

import argparse
import sys
from collections.abc import Sequence
from typing import Literal

from schemas import command
from schemas.errors import ConfigError

EPILOG = """\
examples:
  %(prog)s --adapter out --data build --split test
  %(prog)s --model Qwen/Qwen3-4B --data build --tasks NER --shots 2 --guided
  %(prog)s --adapter out --texts notes.txt --task NER --labels person,place
  %(prog)s --endpoint http://localhost:8000/v1 --data build
  %(prog)s --config predict.yaml --split validation

Writes predictions.jsonl (for train.score), predictions.joined.jsonl (everything found in each text, with offsets) and
predictions.meta.json. The same command goes on where one was interrupted. docs/predict.md has more.
Exit codes: 1 the machine or rows without an answer, 2 configuration, 130 interrupted.
"""

BACKENDS = ("transformers", "vllm")
LISTS = ("tasks", "sources", "labels")
"""Flags that take names with commas between them."""

NO_SETTINGS = ("help", "debug", "json", "config")
"""Flags that a file cannot give."""

LONGEST_TIMEOUT_S = 86_400
RANGES = {
    "max_new_tokens": (1, 1_000_000),
    "batch_size": (1, 65_536),
    "concurrency": (1, 1024),
    "limit": (1, float("inf")),
    "retries": (0, 10_000),
    "shots": (0, 1000),
    "backoff_s": (0, 3600),
}
"""Flag → the least and the most it may be."""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("train.predict", __doc__, EPILOG)
    model = parser.add_argument_group("model")
    model.add_argument("--model", metavar="NAME|DIR", help="default: the base of --adapter, or the endpoint's only one")
    model.add_argument("--adapter", metavar="NAME|DIR", help="a PEFT adapter")
    model.add_argument("--chat_template", metavar="FILE", help="a Jinja file; default: the model's own")
    model.add_argument("--backend", choices=BACKENDS, default="transformers", help="default: transformers")
    model.add_argument("--device", help="default: cuda, else mps, else cpu")
    model.add_argument("--four_bit", action="store_true", help="4-bit weights (CUDA, bitsandbytes)")
    model.add_argument("--model_revision", metavar="REV", help="of a model on the Hub")
    model.add_argument("--trust_remote_code", action="store_true", help="run code that comes with the model")
    endpoint = parser.add_argument_group("endpoint", "an OpenAI-compatible server; its key: $OPENAI_API_KEY")
    endpoint.add_argument("--endpoint", metavar="URL", help="up to and including /v1")
    endpoint.add_argument("--concurrency", type=int, default=8, metavar="N", help="requests at a time; default: 8")
    endpoint.add_argument("--retries", type=int, default=5, metavar="N", help="of a failed request; default: 5")
    endpoint.add_argument("--timeout_s", type=float, default=120.0, metavar="S", help="of a request; default: 120")
    endpoint.add_argument("--backoff_s", type=float, default=1.0, metavar="S", help="first wait; doubles; default: 1")
    endpoint.add_argument("--request", metavar="JSON", help="keys of every request besides ours")
    data = parser.add_argument_group("data")
    data.add_argument("--data", metavar="DIR|REPO|FILE", help="a build, a Hub repository or a JSON file of rows")
    data.add_argument("--split", default="test", help="default: test")
    data.add_argument("--tasks", metavar="T,T", help="default: all")
    data.add_argument("--sources", metavar="A,B", help="default: all")
    data.add_argument("--revision", metavar="REV", help="of a repository on the Hub")
    data.add_argument("--limit", type=int, metavar="N", help="at most N texts of each task and source")
    texts = parser.add_argument_group("own texts")
    texts.add_argument("--texts", metavar="FILE", help="a text a line, or JSON Lines (.jsonl) with text, id, lang")
    texts.add_argument("--labels", metavar="A,B|FILE", help="what to look for")
    texts.add_argument("--task", help="NER, RE, SPO, EE, EET, EEA or KG; with --data, of rows that name none")
    texts.add_argument("--lang", help="en or zh; default: by the letters of each text")
    texts.add_argument("--prompts", metavar="FILE", help="own instruction texts (YAML: task, language, list)")
    texts.add_argument("--split_num", type=int, metavar="N", help="labels a prompt; default: as in training")
    texts.add_argument("--max_chars", type=int, default=2000, metavar="N", help="of a window; default: 2000")
    texts.add_argument("--overlap_chars", type=int, default=200, metavar="N", help="of two windows; default: 200")
    asking = parser.add_argument_group("asking")
    asking.add_argument("--shots", type=int, default=0, metavar="K", help="solved examples before each prompt")
    asking.add_argument("--guided", action="store_true", help="answers cannot leave the JSON of the labels asked")
    asking.add_argument("--max_new_tokens", type=int, default=1024, metavar="N", help="of an answer; default: 1024")
    asking.add_argument("--batch_size", type=int, default=16, metavar="N", help="prompts at a time; default: 16")
    asking.add_argument("--seed", type=int, default=42, help="of prompts and examples; default: 42")
    asking.add_argument("--label_order", type=int, metavar="SEED", help="labels of each prompt in another order")
    run = parser.add_argument_group("run")
    run.add_argument("--config", metavar="FILE", help="a YAML file of flags (batch_size: 8), which flags override")
    run.add_argument("--output", metavar="FILE", default="predictions.jsonl", help="default: predictions.jsonl")
    run.add_argument("--json", action="store_true", help="print the counts as JSON on stdout")
    return parser


def check_flags(arguments: argparse.Namespace) -> None:
    """Raises ConfigError for flags that do not go together or have a value out of range."""
    if (arguments.data is None) == (arguments.texts is None):
        raise ConfigError("name what to predict: either --data or --texts")
    if arguments.texts and not (arguments.labels and arguments.task):
        raise ConfigError("--texts needs --task and --labels")
    if arguments.texts and arguments.shots:
        raise ConfigError("--shots takes its examples from the validation split of --data; --texts has none")
    if not arguments.endpoint and not (arguments.model or arguments.adapter):
        raise ConfigError("name a --model, an --adapter or an --endpoint")
    if arguments.endpoint:
        for flag in ("adapter", "chat_template", "four_bit"):
            if getattr(arguments, flag):
                raise ConfigError(f"--{flag} is the server's to set, not --endpoint's; leave it out")
    for flag, (least, most) in RANGES.items():
        value = getattr(arguments, flag)
        if value is None:
            continue
        if not value >= least:  # so that NaN, which compares with nothing, is out of range too
            raise ConfigError(f"--{flag} {value}: must be at least {least}")
        if value > most:
            raise ConfigError(f"--{flag} {value}: must be at most {most}")
    if not 0 < arguments.timeout_s <= LONGEST_TIMEOUT_S:
        raise ConfigError(f"--timeout_s {arguments.timeout_s}: must be above 0 and at most {LONGEST_TIMEOUT_S}")


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(parse, predict, flags, after_interrupt=command.RESUME_HINT)


def parse(flags: Sequence[str] | None) -> argparse.Namespace:
    """The arguments: flags, then what the file of `--config` says, then defaults. Raises ConfigError."""
    parser = argument_parser()
    arguments = parser.parse_args(flags)
    if arguments.config:
        parser.set_defaults(**read_config(arguments.config, parser))
        arguments = parser.parse_args(flags)
    return arguments


def read_config(path: str, parser: argparse.ArgumentParser) -> dict:
    """Flag → value of a YAML file, checked by the types of the parser's flags; a list of names may be a list there.

    Raises ConfigError that names file, line and key.
    """
    from pydantic import ConfigDict, create_model

    from schemas import key_list
    from transforms import settings

    flags = {flag.dest: flag for flag in parser._actions if flag.dest not in NO_SETTINGS}
    fields = {name: (value_type(flag), None) for name, flag in flags.items()}
    model = create_model("Flags", __config__=ConfigDict(extra="forbid"), **fields)
    checked = settings.check(model, settings.read(path, model, "--config takes a YAML file"))
    given = checked.model_dump(exclude_unset=True)
    return {name: key_list.join(value) if isinstance(value, list) else value for name, value in given.items()}


def value_type(flag: argparse.Action) -> object:
    """The type of a flag's value in a file."""
    if flag.choices:
        return Literal[tuple(flag.choices)]
    if flag.nargs == 0:
        return bool
    if flag.dest in LISTS:
        return str | list[str]
    return flag.type or str


def predict(arguments: argparse.Namespace) -> int:
    check_flags(arguments)
    from train.prediction import predicting  # torch and datasets are loaded only once the flags are known to be good

    return predicting.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
