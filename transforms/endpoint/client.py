"""Prompts → answers of an OpenAI-compatible server (vLLM, Ollama, SGLang, …), with concurrent HTTP requests.

The protocol is OpenAI's `POST /chat/completions` and `GET /models`. The server renders the chat template, which
must be the one used in training.
"""

import http.client
import json
import queue
import re
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from schemas.answers import Answer, Failure, Prompt, messages
from schemas.errors import ConfigError, MachineError, printable, quoted
from transforms.endpoint import api_key, transport

RETRIED = (408, 409, 425, 429)
"""Statuses that are retried, as are those of 500 and above."""
REDIRECTS = (301, 302, 303, 307, 308)
"""Never followed (see `transport`): the key would go to another host, and urllib turns the POST into a GET."""
REFUSED = (401, 403, 404, 405, *REDIRECTS)
"""Statuses that apply to all requests, so that the run stops."""
UNANSWERABLE = (400, 413, 422)
"""Statuses of a request that the server will never answer, such as a prompt longer than its context."""
LONGEST_WAIT_S = 60.0
LONGEST_ANSWER_BYTES = 1 << 26
FAILURES_IN_A_ROW = 20
"""After this number of consecutive rows that could be answered but were not, the run stops."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The server and the settings of requests. `url`: up to and including `/v1`. A failed request is repeated up to
    `retries` times, after `backoff_s` seconds, which doubles each time. `timeout_s`: time limit of a request, from the
    connection to the last byte of the answer. `extra`: additional keys of every request.
    """

    url: str
    model: str
    max_new_tokens: int
    concurrency: int = 8
    retries: int = 5
    timeout_s: float = 120.0
    backoff_s: float = 1.0
    extra: Mapping = field(default_factory=dict)


class InvalidResponse(Exception):
    """A response that is truncated, not JSON or not in the form of the protocol. The request is retried."""


class Refusal(Exception):
    """A response with an error status."""

    def __init__(self, status: int, message: str, retry_after_s: float = 0.0):
        super().__init__(f"HTTP {status}: {message}")
        self.status, self.retry_after_s = status, retry_after_s


class NoModelList(ConfigError):
    """The server does not list its models."""


def check_url(url: str) -> None:
    """Raises ConfigError for an invalid URL, or one that may contain a password, which the message does not show."""
    if "@" in url:
        raise ConfigError(f"--endpoint takes a URL without a user and a password; the key comes from {api_key.KEY}")
    api_key.check_absent(url, "--endpoint")
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"{url}: the URL does not start with http:// or https://; check --endpoint")
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{url}: not a valid URL ({error}); check --endpoint") from error
    if not parts.hostname or port == 0:
        raise ConfigError(f"{url}: not a valid URL (no host, or port 0); check --endpoint")


def models(url: str, timeout_s: float = 10.0) -> list[str]:
    """Returns the names of the models of the server at `url`.

    Raises ConfigError for an invalid URL or key and if no server answers; NoModelList if the server answers with
    another error or its response is not in the form of the protocol.
    """
    check_url(url)
    try:
        content = _json(_request(f"{url}/models"), timeout_s)
        names = [model["id"] for model in content["data"]]
        if not all(isinstance(name, str) for name in names):
            raise TypeError
        return names
    except Refusal as error:
        if error.status in (404, 405, 501):
            raise NoModelList(f"{url}: the server does not list its models; choose one with --model") from error
        is_for_all = error.status in REFUSED
        raise (ConfigError if is_for_all else NoModelList)(_refused(url, error)) from error
    except (KeyError, TypeError, InvalidResponse) as error:
        raise NoModelList(
            f"{url}: not an OpenAI-compatible server (it lists no models); the URL must end in /v1"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = _reason(error)  # masked; a traceback of `error` may contain the key
        raise ConfigError(f"{url}: the server does not answer ({reason}); check --endpoint") from None


def model_name(url: str, wanted: str | None) -> str:
    """Returns the name of the model to use: `wanted`, else the only model of the server.

    Prints a note if the server lists models but not this one. Raises ConfigError if no server answers, if the choice is
    ambiguous, and for a name that is not valid UTF-8 or contains the key; without `wanted` also NoModelList.
    """
    if wanted is not None:
        api_key.check_absent(wanted, "--model")
        _check_text(wanted, "--model")
    name = _model_name(url, wanted)
    api_key.check_absent(name, f"{url}: the name of the server's only model")
    _check_text(name, f"{url}: the server's only model")
    return name


def _model_name(url: str, wanted: str | None) -> str:
    try:
        names = models(url)
    except NoModelList:
        if wanted is None:
            raise
        return wanted
    available = f"it has {', '.join(api_key.masked(name)[:80] for name in names[:10])}" if names else "it has none"
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None:
        raise ConfigError(f"{url}: no model chosen: {available}; pass --model")
    if names and wanted not in names and f"{wanted}:latest" not in names:  # Ollama's default tag
        print(printable(f"note: {url} does not list the model {wanted!r} ({available})"), file=sys.stderr)
    return wanted


def _check_text(name: str, where: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{where}: {quoted(name)} is not valid UTF-8; choose another with --model") from error


def generate(endpoint: Endpoint, prompts: Iterable[tuple[int, Prompt]]) -> Iterator[tuple[int, Answer | Failure]]:
    """Yields (number, answer) for (number, prompt), in the order in which the answers arrive.

    A prompt without an answer after all retries yields a Failure, a final one for UNANSWERABLE statuses.
    Raises ConfigError if the server refuses all requests (a wrong key, an unknown model) and MachineError after
    FAILURES_IN_A_ROW consecutive failures that are not final, or if no thread can be started. Any other exception of a
    thread is raised here.
    """
    remaining = iter(prompts)
    requests: queue.SimpleQueue = queue.SimpleQueue()
    results: queue.SimpleQueue = queue.SimpleQueue()
    stopped = threading.Event()
    last: deque[Failure | None] = deque(maxlen=FAILURES_IN_A_ROW)
    running = 0
    try:
        for _ in range(endpoint.concurrency):
            # Daemon threads, so that a hanging request does not keep the process alive.
            thread = threading.Thread(target=_work, args=(endpoint, requests, results, stopped), daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                raise MachineError(f"--concurrency {endpoint.concurrency}: {error}; use a lower number") from error
        while True:
            while running < 2 * endpoint.concurrency and (next_item := next(remaining, None)) is not None:
                requests.put(next_item)
                running += 1
            if not running:
                return
            number, result = results.get()
            running -= 1
            if isinstance(result, BaseException):
                raise result
            yield number, result
            last.append(result if isinstance(result, Failure) and not result.is_final else None)
            if len(last) == FAILURES_IN_A_ROW and None not in last:
                raise MachineError(
                    f"{endpoint.url}: {FAILURES_IN_A_ROW} consecutive rows failed, the last with: "
                    f"{result.reason}; run the same command again to continue"
                )
    finally:
        stopped.set()
        for _ in range(endpoint.concurrency):
            requests.put(None)


def _work(
    endpoint: Endpoint, requests: queue.SimpleQueue, results: queue.SimpleQueue, stopped: threading.Event
) -> None:
    while (item := requests.get()) is not None and not stopped.is_set():
        number, prompt = item
        try:
            results.put((number, answer(endpoint, prompt, stopped)))
        except BaseException as error:  # all exceptions: `generate` would wait forever for a dead thread
            results.put((number, error))


def answer(endpoint: Endpoint, prompt: Prompt, stopped: threading.Event) -> Answer | Failure:
    """Requests one answer, with retries until `stopped` is set. Raises ConfigError if the server refuses them all."""
    request = _request(f"{endpoint.url}/chat/completions", body(endpoint, prompt))
    for attempt in range(endpoint.retries + 1):
        pause_s = endpoint.backoff_s * 2 ** min(attempt, 62)
        try:
            return _answer(_json(request, endpoint.timeout_s))
        except Refusal as error:
            if error.status in REFUSED:
                raise ConfigError(_refused(endpoint.url, error)) from error
            if error.status not in RETRIED and error.status < 500:
                return Failure(str(error), error.status in UNANSWERABLE)
            reason, pause_s = str(error), max(pause_s, error.retry_after_s)
        except (OSError, http.client.HTTPException, ValueError, InvalidResponse) as error:
            reason = _reason(error)
        if attempt == endpoint.retries or stopped.wait(min(pause_s, LONGEST_WAIT_S)):
            break
    return Failure(reason)


def body(endpoint: Endpoint, prompt: Prompt) -> dict:
    """The body of a request: greedy decoding, the examples as earlier turns, and the JSON Schema, if any."""
    content = {
        "model": endpoint.model,
        "messages": messages(prompt.instruction, prompt.shots),
        "temperature": 0,
        "max_tokens": endpoint.max_new_tokens,
        **endpoint.extra,
    }
    if prompt.schema is not None:
        schema = {"name": "answer", "strict": True, "schema": prompt.schema}
        content["response_format"] = {"type": "json_schema", "json_schema": schema}
    return content


def _request(url: str, content: dict | None = None) -> urllib.request.Request:
    headers = {"Content-Type": "application/json"}
    if key := api_key.read():
        headers["Authorization"] = f"Bearer {key}"
    # json.dumps escapes to ASCII, so a row with an unpaired surrogate can be sent; the server may reject it.
    data = None if content is None else json.dumps(content).encode()
    return urllib.request.Request(url, data, headers)


def _json(request: urllib.request.Request, timeout_s: float) -> dict:
    """Sends the request and returns the JSON object of the response.

    Raises Refusal, InvalidResponse, OSError or HTTPException.
    """
    try:
        with transport.open_url(request, timeout_s) as response:
            if (response.length or 0) > LONGEST_ANSWER_BYTES:
                raise InvalidResponse("the response is too long")
            # read(None) with a known length raises IncompleteRead for a truncated response
            content = response.read(LONGEST_ANSWER_BYTES if response.length is None else None)
    except urllib.error.HTTPError as error:
        raise Refusal(error.code, _message(error), _seconds(error.headers.get("Retry-After"))) from None
    try:
        decoded = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidResponse("the response is not JSON") from error
    if not isinstance(decoded, dict):
        raise InvalidResponse("the response is not a JSON object")
    return decoded


def _answer(content: dict) -> Answer:
    try:
        choice = content["choices"][0]
        text, finish = choice["message"]["content"], choice["finish_reason"]
    except (KeyError, IndexError, TypeError) as error:
        raise InvalidResponse("the response has no choice") from error
    if not isinstance(text, str) or finish is None:
        raise InvalidResponse("the answer is not finished")
    return Answer(api_key.masked_in_answer(text), cut=finish == "length")


def _message(error: urllib.error.HTTPError) -> str:
    """The message in the body of an error response, in one line of at most 200 characters, with the key masked."""
    try:
        text = error.read(10_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        text = ""
    try:
        content = json.loads(text)
        content = content.get("error", content)
        text = content["message"] if isinstance(content, dict) else str(content)
    except (ValueError, KeyError, AttributeError, RecursionError):
        pass
    return api_key.masked(" ".join(str(text or error.reason).split()))[:200]


def _seconds(value: str | None) -> float:
    """Retry-After in seconds (RFC 9110); 0 if it is missing or a date."""
    return float(value) if value and re.fullmatch("[0-9]{1,9}", value) else 0.0


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    if isinstance(inner, http.client.IncompleteRead):
        return "the response is incomplete"
    return api_key.masked(" ".join(str(inner).split())) or type(inner).__name__


def _refused(url: str, error: Refusal) -> str:
    advice = f"set {api_key.KEY}" if error.status in (401, 403) else "check --endpoint, which ends in /v1, and --model"
    if error.status in REDIRECTS:
        advice = "it redirects to another address, which is not followed; if that one is right, pass it as --endpoint"
    return f"{url}: the server refuses the request ({error}); {advice}"
