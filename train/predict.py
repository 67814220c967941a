"""python -m train.predict: a split of a corpus, or texts and labels → a model's answers, joined and with offsets."""

import argparse
import signal
import sys
import traceback
from collections.abc import Sequence

from schemas.errors import ConfigError, IEForgeError, escape_on_stdout, printable

EPILOG = """\
examples:
  python -m train.predict --adapter out --data build --split test
  python -m train.predict --model Qwen/Qwen3-4B --data build --tasks NER --shots 2 --guided
  python -m train.predict --adapter out --texts notes.txt --task NER --labels person,place
  python -m train.predict --endpoint http://localhost:8000/v1 --data build

Writes predictions.jsonl (for train.score), predictions.joined.jsonl (everything found in each text, with offsets) and
predictions.meta.json. The same command goes on where one was interrupted. docs/predict.md has more.
Exit codes: 1 the machine or rows without an answer, 2 configuration, 130 interrupted.
"""

BACKENDS = ("transformers", "vllm")
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
    parser = argparse.ArgumentParser(
        prog="python -m train.predict",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        exit_on_error=False,
    )
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
    run.add_argument("--output", metavar="FILE", default="predictions.jsonl", help="default: predictions.jsonl")
    run.add_argument("--json", action="store_true", help="print the counts as JSON on stdout")
    run.add_argument("--debug", action="store_true", help="show the traceback of an error, and the libraries' logs")
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
    escape_on_stdout()
    try:
        arguments = argument_parser().parse_args(flags)
    except argparse.ArgumentError as error:
        print(printable(f"error: {error}; see --help"), file=sys.stderr)
        return ConfigError.exit_code
    signal.signal(signal.SIGTERM, interrupt)
    try:
        check_flags(arguments)
        from train.prediction import (
            predicting,  # torch and datasets are loaded only once the flags are known to be good
        )

        return predicting.run(arguments)
    except IEForgeError as error:
        if arguments.debug:
            traceback.print_exc()
        print(printable(f"error: {error}"), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return 130


def interrupt(signum, frame) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
