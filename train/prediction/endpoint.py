"""Prompts → answers of an OpenAI-compatible server (vLLM, Ollama, SGLang, …) over HTTP, many at a time.

The protocol is OpenAI's `POST /chat/completions` and `GET /models`. The server renders the chat template, so it must
be the one that the model was trained with.
"""

import http.client
import json
import queue
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from schemas.errors import ConfigError, MachineError, quoted
from train import chat
from train.prediction import api_key, transport
from train.prediction.answers import Answer, Failure, Prompt

RETRIED = (408, 409, 425, 429)
"""Besides 500 and above: what a server says when it will answer later."""
REDIRECTS = (301, 302, 303, 307, 308)
"""Never followed (see `transport`): the key would go to another host, and urllib makes a GET of the POST."""
REFUSED = (401, 403, 404, 405, *REDIRECTS)
"""What it says of every request, not of one: to go on is of no use."""
LONGEST_WAIT_S = 60.0
LONGEST_ANSWER_BYTES = 1 << 26
FAILURES_IN_A_ROW = 20
"""After so many rows without one answer the server counts as gone."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`url`: up to and including `/v1`. A request that fails is sent again up to `retries` times, after `backoff_s`
    seconds, then twice as many, and so on; `timeout_s`: of one request, from its connection to the last byte of its
    answer. `extra`: keys of every request besides ours.
    """

    url: str
    model: str
    max_new_tokens: int
    concurrency: int = 8
    retries: int = 5
    timeout_s: float = 120.0
    backoff_s: float = 1.0
    extra: Mapping = field(default_factory=dict)


class Half(Exception):
    """An answer that is cut off, no JSON or not of the protocol's form."""


class Refusal(Exception):
    """A status that another try will not change."""

    def __init__(self, status: int, message: str, retry_after_s: float = 0.0):
        super().__init__(f"HTTP {status}: {message}")
        self.status, self.retry_after_s = status, retry_after_s


class Missing(Exception):
    """The server has no list of its models."""


def check_url(url: str) -> None:
    """Raises ConfigError for a URL that is none of a server, or that may hold a password, which is not shown."""
    if "@" in url:
        raise ConfigError(f"--endpoint takes a URL without a user and a password; the key comes from {api_key.KEY}")
    api_key.check_absent(url, "--endpoint")
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"{url}: the server does not answer (no http:// or https:// before it); check --endpoint")
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{url}: no URL of a server ({error}); check --endpoint") from error
    if not parts.hostname or port == 0:
        raise ConfigError(f"{url}: no URL of a server (no host, or port 0); check --endpoint")


def models(url: str, timeout_s: float = 10.0) -> list[str]:
    """The names of the models that the server at `url` has.

    Raises Missing where it does not list them, ConfigError as `check_url`, for a key that no header can hold, where no
    server answers or where it has another protocol.
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
            raise Missing from error
        raise ConfigError(_refused(url, error)) from error
    except (KeyError, TypeError, Half) as error:
        raise ConfigError(f"{url}: no OpenAI-compatible server (no list of models); the URL ends in /v1") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = _reason(error)  # without the key, which a traceback of `error` may show
        raise ConfigError(f"{url}: the server does not answer ({reason}); check --endpoint") from None


def model_name(url: str, wanted: str | None) -> str:
    """The name to ask for: `wanted`, else the only model of the server. Raises ConfigError as `models`, where there
    are several, where the server has no model of this name, and for a name that is no text or holds the key.
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
        found = models(url)
    except Missing:
        if wanted is None:
            raise ConfigError(f"{url}: the server does not list its models; name one with --model") from None
        return wanted
    listed = f"it has {', '.join(api_key.hidden(name)[:80] for name in found[:10])}" if found else "it has none"
    if wanted is None and len(found) == 1:
        return found[0]
    if wanted is None:
        raise ConfigError(f"{url}: which model? {listed}; name one with --model")
    if wanted not in found and f"{wanted}:latest" not in found:  # Ollama's default tag
        raise ConfigError(f"{url}: no model {wanted!r} on this server; {listed}")
    return wanted


def _check_text(name: str, where: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{where}: {quoted(name)} is no UTF-8; name another with --model") from error


def generate(endpoint: Endpoint, prompts: Iterable[tuple[int, Prompt]]) -> Iterator[tuple[int, Answer | Failure]]:
    """(number, prompt) → (number, answer) in the order in which the answers come.

    A prompt without an answer after all retries is a Failure. Raises ConfigError where the server refuses every
    request (a wrong key, an unknown model) and MachineError where FAILURES_IN_A_ROW prompts failed one after another
    or the machine has no thread left. Whatever else a thread raises is raised here.
    """
    waiting = iter(prompts)
    asked: queue.SimpleQueue = queue.SimpleQueue()
    answered: queue.SimpleQueue = queue.SimpleQueue()
    stopped = threading.Event()
    last: deque[Failure | None] = deque(maxlen=FAILURES_IN_A_ROW)
    running = 0
    try:
        for _ in range(endpoint.concurrency):
            # Daemons: a request that hangs does not hold up a process that was told to stop.
            thread = threading.Thread(target=_work, args=(endpoint, asked, answered, stopped), daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                raise MachineError(f"--concurrency {endpoint.concurrency}: {error}; give a lower number") from error
        while True:
            while running < 2 * endpoint.concurrency and (following := next(waiting, None)) is not None:
                asked.put(following)
                running += 1
            if not running:
                return
            number, result = answered.get()
            running -= 1
            if isinstance(result, BaseException):
                raise result
            yield number, result
            last.append(result if isinstance(result, Failure) else None)
            if len(last) == FAILURES_IN_A_ROW and None not in last:
                raise MachineError(
                    f"{endpoint.url}: {FAILURES_IN_A_ROW} rows failed one after another, the last with: "
                    f"{result.reason}; the same command goes on with them"
                )
    finally:
        stopped.set()
        for _ in range(endpoint.concurrency):
            asked.put(None)


def _work(endpoint: Endpoint, asked: queue.SimpleQueue, answered: queue.SimpleQueue, stopped: threading.Event) -> None:
    while (item := asked.get()) is not None and not stopped.is_set():
        number, prompt = item
        try:
            answered.put((number, answer(endpoint, prompt, stopped)))
        except BaseException as error:  # all of them: a thread that died in silence would be waited for
            answered.put((number, error))


def answer(endpoint: Endpoint, prompt: Prompt, stopped: threading.Event) -> Answer | Failure:
    """One prompt's answer, with retries unless `stopped`. Raises ConfigError where the server refuses every request."""
    request = _request(f"{endpoint.url}/chat/completions", body(endpoint, prompt))
    for attempt in range(endpoint.retries + 1):
        pause_s = endpoint.backoff_s * 2 ** min(attempt, 62)
        try:
            return _answer(_json(request, endpoint.timeout_s))
        except Refusal as error:
            if error.status in REFUSED:
                raise ConfigError(_refused(endpoint.url, error)) from error
            if error.status not in RETRIED and error.status < 500:
                return Failure(str(error))
            reason, pause_s = str(error), max(pause_s, error.retry_after_s)
        except (OSError, http.client.HTTPException, ValueError, Half) as error:
            reason = _reason(error)
        if attempt == endpoint.retries or stopped.wait(min(pause_s, LONGEST_WAIT_S)):
            break
    return Failure(reason)


def body(endpoint: Endpoint, prompt: Prompt) -> dict:
    """The request: greedy, the examples as earlier turns, the answer's JSON Schema where there is one."""
    content = {
        "model": endpoint.model,
        "messages": chat.messages(prompt.instruction, prompt.shots),
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
    # ASCII: half a surrogate pair in a row, which UTF-8 cannot hold, is then for the server to judge.
    data = None if content is None else json.dumps(content).encode()
    return urllib.request.Request(url, data, headers)


def _json(request: urllib.request.Request, timeout_s: float) -> dict:
    """The JSON object that the server answers. Raises Refusal, Half, OSError or HTTPException."""
    try:
        with transport.open_url(request, timeout_s) as response:
            if (response.length or 0) > LONGEST_ANSWER_BYTES:
                raise Half("an answer that is too long")
            # with a length, so that an answer that breaks off is seen
            content = response.read(LONGEST_ANSWER_BYTES if response.length is None else None)
    except urllib.error.HTTPError as error:
        raise Refusal(error.code, _message(error), _seconds(error.headers.get("Retry-After"))) from None
    try:
        decoded = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Half("an answer that is no JSON") from error
    if not isinstance(decoded, dict):
        raise Half("an answer that is no JSON object")
    return decoded


def _answer(content: dict) -> Answer:
    try:
        choice = content["choices"][0]
        text, finish = choice["message"]["content"], choice["finish_reason"]
    except (KeyError, IndexError, TypeError) as error:
        raise Half("an answer without a choice") from error
    if not isinstance(text, str) or finish is None:
        raise Half("an answer that is not finished")
    return Answer(api_key.hidden_in_answer(text), cut=finish == "length")


def _message(error: urllib.error.HTTPError) -> str:
    """What the body of an error says, in one line of at most 200 characters."""
    try:
        text = error.read(10_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        text = ""
    try:
        found = json.loads(text)
        found = found.get("error", found)
        text = found["message"] if isinstance(found, dict) else str(found)
    except (ValueError, KeyError, AttributeError, RecursionError):
        pass
    return api_key.hidden(" ".join(str(text or error.reason).split()))[:200]


def _seconds(value: str | None) -> float:
    """Retry-After in seconds (RFC 9110); its form as a date counts as not given."""
    return float(value) if value and re.fullmatch("[0-9]{1,9}", value) else 0.0


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    if isinstance(inner, http.client.IncompleteRead):
        return "half an answer"
    return api_key.hidden(" ".join(str(inner).split())) or type(inner).__name__


def _refused(url: str, error: Refusal) -> str:
    advice = f"set {api_key.KEY}" if error.status in (401, 403) else "check --endpoint, which ends in /v1, and --model"
    if error.status in REDIRECTS:
        advice = "it sends to another address, which is not followed; give that one with --endpoint if it is right"
    return f"{url}: the server refuses ({error}); {advice}"
