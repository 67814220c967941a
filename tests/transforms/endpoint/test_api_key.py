"""The API key is sent to the chosen server only, and appears in no answer, message or traceback."""

import json
import traceback

import pytest

from schemas.answers import Failure
from schemas.errors import ConfigError
from tests.serving import EMPTY, RIGHT, answers_from, completion, dripping, serving
from transforms.endpoint import client, transport


@pytest.mark.parametrize("key", ["sesame\n", " sesame\r\n", "sesame"])
def test_whitespace_around_the_key_is_not_sent(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with serving(lambda *_: RIGHT) as served:
        assert answers_from(served, "a") == {"a": EMPTY}
        assert client.model_name(served.url, None) == "tiny"
    assert {headers["Authorization"] for headers in served.headers} == {"Bearer sesame"}


@pytest.mark.parametrize("key", ["open\nsesame", "open sesame", "ses\u00e4me", "sesame\x1b[2J", "s\udce4same"])
def test_an_invalid_key_is_refused_and_not_shown(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with serving(lambda *_: RIGHT) as served:
        for ask in (lambda: answers_from(served, "a"), lambda: client.model_name(served.url, None)):
            with pytest.raises(ConfigError, match="OPENAI_API_KEY: contains characters that no key has") as error:
                ask()
            assert "same" not in str(error.value)
    assert served.headers == []


def test_an_error_that_repeats_the_key_is_redacted(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    refusal = (401, b'{"error": {"message": "wrong key: Bearer sesame"}}')
    with serving(lambda *_: refusal) as served, pytest.raises(ConfigError, match=r"wrong key: Bearer \*\*\*"):
        answers_from(served, "a")
    with serving(lambda *_: (400, b"Bearer sesame")) as served:
        assert answers_from(served, "a") == {"a": Failure("HTTP 400: Bearer ***", is_final=True)}


SECRET = 'sk-se"cr\\et/0'


FORMS = [
    SECRET,
    json.dumps(SECRET)[1:-1],
    json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
    "".join(f"\\u{ord(character):04x}" for character in SECRET),
    "".join(f"\\\\u{ord(character):04X}" for character in SECRET),
    SECRET.replace("/", "\\/"),
]


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_that_repeats_the_key_is_redacted(monkeypatch, form):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with serving(lambda *_: (200, completion(f'{{"person": ["{form}", "Ada"]}}'))) as served:
        text = answers_from(served, "a")["a"].text
    assert text == '{"person": ["***", "Ada"]}'
    with serving(lambda *_: (400, json.dumps({"error": {"message": f"no {form}!"}}).encode())) as served:
        assert answers_from(served, "a") == {"a": Failure("HTTP 400: no ***!", is_final=True)}


def test_a_placeholder_key_is_not_redacted(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with serving(lambda *_: (200, completion('{"person": ["none"]}'))) as served:
        assert answers_from(served, "a")["a"].text == '{"person": ["none"]}'


def test_a_name_that_contains_the_key_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sesame")
    with serving(lambda *_: RIGHT, models=("m-sk-sesame",)) as served:
        for ask in (
            lambda: client.model_name(served.url, None),
            lambda: client.model_name(served.url, "m-sk-sesame"),
            lambda: client.model_name(served.url, "sk-sesame\udcff"),
            lambda: client.model_name(f"{served.url}/sk-sesame", None),
        ):
            with pytest.raises(ConfigError, match=r"contains the key|it has m-\*\*\*") as error:
                ask()
            assert "sesame" not in str(error.value)


@pytest.mark.parametrize("status", [b"HTTP/1.1 401 sk-sesame\r\n\r\n", b"sk-sesame\r\n\r\n"])
def test_a_traceback_does_not_show_the_key(monkeypatch, status):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sesame")
    with dripping(status, b"") as url, pytest.raises(ConfigError) as error:
        client.models(url, timeout_s=0.2)
    assert "sesame" not in "".join(traceback.format_exception(error.value))


def test_a_password_in_the_url_is_refused_and_not_shown():
    for url in ("http://ada:sesame@localhost:1/v1", "http://sesame@[::1/v1"):
        with pytest.raises(ConfigError, match="without a user and a password") as error:
            client.model_name(url, "tiny")
        assert "sesame" not in str(error.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(monkeypatch, status):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    with serving(lambda *_: RIGHT) as other, serving(lambda *_: (status, b"")) as served:
        for location in (
            f"{other.url}/chat/completions",
            f"{served.url}/models",
            "http://[",
            "file:///etc/hosts",
        ):
            served.location = location
            with pytest.raises(ConfigError, match=f"HTTP {status}.*another address, which is not followed"):
                answers_from(served, "a")
        with pytest.raises(ConfigError, match=r"HTTP 302.*not followed"):
            client.model_name(served.url, "tiny")
        assert other.headers == [] and other.requests == []
        assert set(served.attempts.values()) == {4}  # no POST was repeated as a GET


def test_the_key_is_not_sent_to_a_proxy(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(lambda *_: RIGHT) as proxy, serving(lambda *_: RIGHT) as served:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        assert client.model_name(served.url, None) == "tiny"
        assert answers_from(served, "a") == {"a": EMPTY}
        with pytest.raises(ConfigError, match="does not answer"):
            client.models("http://no-such-host.invalid/v1")
        assert proxy.headers == []


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://models.example/v1", True),
        ("http://models.example/v1", False),
        ("https://localhost:8000/v1", False),
        ("https://LOCALHOST./v1", False),
        ("https://a.localhost/v1", False),
        ("https://127.9.9.9/v1", False),
        ("https://[::1]:8000/v1", False),
        ("https://[::ffff:127.0.0.1]/v1", False),
        ("https://0.0.0.0/v1", False),
    ],
)
def test_only_https_to_another_machine_may_use_a_proxy(url, allowed):
    assert transport.may_use_proxy(url) is allowed
