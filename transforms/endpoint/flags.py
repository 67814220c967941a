"""The flags of a command that sends prompts to a server, and the `Endpoint` that they describe."""

import argparse
import json
import reprlib
from collections.abc import Mapping

from schemas.errors import ConfigError
from transforms.endpoint import api_key
from transforms.endpoint.client import Endpoint, model_name

ABOUT = "an OpenAI-compatible server; its key: $OPENAI_API_KEY"

RANGES = {"concurrency": (1, 1024), "retries": (0, 10_000), "backoff_s": (0, 3600), "timeout_s": (0.001, 86_400)}
"""Flag → its minimum and maximum."""


def add(group: argparse._ArgumentGroup) -> None:
    """Adds `--endpoint` and the flags of its requests."""
    group.add_argument("--endpoint", metavar="URL", help="up to and including /v1")
    group.add_argument("--concurrency", type=int, default=8, metavar="N", help="concurrent requests; default: 8")
    group.add_argument("--retries", type=int, default=5, metavar="N", help="retries of a failed request; default: 5")
    group.add_argument(
        "--timeout_s", type=float, default=120.0, metavar="S", help="time limit of a request; default: 120"
    )
    group.add_argument(
        "--backoff_s",
        type=float,
        default=1.0,
        metavar="S",
        help="wait before the first retry; then doubled; default: 1",
    )
    group.add_argument("--request", metavar="JSON", help="additional keys of every request")


def check_ranges(arguments: argparse.Namespace, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raises ConfigError for a flag that is out of its range. None stands for a flag that is not set."""
    for flag, (least, most) in ranges.items():
        value = getattr(arguments, flag)
        if value is None:
            continue
        if not value >= least:  # `not >=`, so that NaN is out of range too
            raise ConfigError(f"--{flag} {value}: must be at least {least}")
        if value > most:
            raise ConfigError(f"--{flag} {value}: must be at most {most}")


def server(arguments: argparse.Namespace, max_new_tokens: int) -> Endpoint:
    """The server that the flags and `--model` describe. Raises the ConfigErrors of `request_keys` and `model_name`."""
    url = arguments.endpoint.rstrip("/")
    extra = request_keys(arguments.request)
    return Endpoint(
        url=url,
        model=model_name(url, arguments.model),
        max_new_tokens=max_new_tokens,
        concurrency=arguments.concurrency,
        retries=arguments.retries,
        timeout_s=arguments.timeout_s,
        backoff_s=arguments.backoff_s,
        extra=extra,
    )


def request_keys(value: str | None) -> dict:
    """Parses --request.

    Raises ConfigError for anything but a JSON object, for NaN, unpaired surrogates and the API key.
    """
    if not value:
        return {}
    api_key.check_absent(value, "--request")
    try:
        extra = json.loads(value)
        json.dumps(extra, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"--request {reprlib.repr(value)}: contains an unpaired surrogate; correct it") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--request {reprlib.repr(value)}: invalid JSON") from error
    if not isinstance(extra, dict):
        raise ConfigError(f"--request {reprlib.repr(value)}: must be a JSON object")
    return extra
