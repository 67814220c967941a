"""Answers over HTTP from a real server on loopback that fails in every way a server does."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError, MachineError
from tests.train.serving import completion, serving
from train.prediction import endpoint
from train.prediction.answers import Answer, Failure, Prompt

EMPTY = Answer('{"person": []}', cut=False)
RIGHT = (200, completion('{"person": []}'))


def asked(served, *instructions, **settings):
    """Instruction → what came of it."""
    settings = {"concurrency": 2, "retries": 3, "timeout_s": 0.3, "backoff_s": 0.001, **settings}
    server = endpoint.Endpoint(served.url, "tiny", 64, **settings)
    prompts = [(number, Prompt(instruction)) for number, instruction in enumerate(instructions)]
    return {instructions[number]: result for number, result in endpoint.generate(server, prompts)}


@pytest.mark.parametrize(
    "first",
    [
        (500, b"internal error"),
        (502, b"<html>bad gateway</html>"),
        (429, b'{"error": {"message": "slow down"}}'),
        "hang",
        "half",
        (200, b'{"choices": [{"mess'),
        (200, b"[]"),
        (200, b'{"choices": []}'),
        (200, completion(None)),
        (200, completion('{"person":', finish=None)),
    ],
    ids=["500", "502", "429", "hang", "half", "broken", "list", "nothing", "null", "unfinished"],
)
def test_a_request_that_fails_once_is_sent_again(first):
    with serving(lambda instruction, attempt: first if attempt == 0 else RIGHT) as served:
        assert asked(served, "a") == {"a": EMPTY}
        assert served.attempts == {"a": 2}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ((500, b'{"error": {"message": "out of\\n memory"}}'), "HTTP 500: out of memory"),
        ("hang", "no answer in time"),
        ("half", "half an answer"),
        ((200, b"{"), "an answer that is no JSON"),
    ],
)
def test_a_row_that_keeps_failing_is_a_failure_and_the_others_go_on(reply, reason):
    with serving(lambda instruction, attempt: reply if instruction == "bad" else RIGHT) as served:
        found = asked(served, "a", "bad", "b")
        assert found["bad"] == Failure(reason)
        assert isinstance(found["a"], Answer) and isinstance(found["b"], Answer)
        assert served.attempts["bad"] == 4


def test_a_request_that_is_wrong_is_not_sent_again():
    with serving(lambda *_: (400, b'{"error": {"message": "prompt too long"}}')) as served:
        assert asked(served, "a") == {"a": Failure("HTTP 400: prompt too long")}
        assert served.attempts["a"] == 1


@pytest.mark.parametrize(("status", "advice"), [(401, "set OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "/v1")])
def test_a_server_that_refuses_everything_stops_the_run(status, advice):
    with serving(lambda *_: (status, b"no")) as served, pytest.raises(ConfigError, match=advice):
        asked(served, "a", "b")


def test_a_server_that_goes_away_stops_the_run():
    names = [str(number) for number in range(100)]
    with (
        serving(lambda *_: (500, b"")) as served,
        pytest.raises(MachineError, match="20 rows failed one after another"),
    ):
        asked(served, *names, retries=0)
    assert len(served.attempts) < 30


def test_failures_between_answers_do_not_stop_the_run():
    names = [str(number) for number in range(60)]
    with serving(lambda instruction, _: RIGHT if instruction.endswith("7") else (400, b"")) as served:
        found = asked(served, *names)
    assert sum(isinstance(result, Answer) for result in found.values()) == 6


def test_an_answer_at_the_token_limit_is_marked():
    with serving(lambda *_: (200, completion('{"per', "length"))) as served:
        assert asked(served, "a") == {"a": Answer('{"per', cut=True)}


def test_requests_run_side_by_side():
    together = threading.Barrier(8, timeout=10)  # breaks where fewer are asked at a time

    def reply(instruction, attempt):
        together.wait()
        return RIGHT

    with serving(reply) as served:
        assert asked(served, *"abcdefgh", concurrency=8, timeout_s=20, retries=0) == dict.fromkeys("abcdefgh", EMPTY)


def test_the_request_is_greedy_and_carries_examples_schema_and_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    schema = {"type": "object"}
    with serving(lambda *_: RIGHT) as served:
        server = endpoint.Endpoint(served.url, "tiny", 64, extra={"chat_template_kwargs": {"enable_thinking": False}})
        list(endpoint.generate(server, [(0, Prompt("港?", (("a?", "{}"),), schema))]))
    assert served.headers[0]["Authorization"] == "Bearer sesame"
    assert served.requests == [
        {
            "model": "tiny",
            "messages": [
                {"role": "user", "content": "a?"},
                {"role": "assistant", "content": "{}"},
                {"role": "user", "content": "港?"},
            ],
            "temperature": 0,
            "max_tokens": 64,
            "chat_template_kwargs": {"enable_thinking": False},
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": schema},
            },
        }
    ]


def test_the_only_model_of_a_server_needs_no_name():
    with serving(lambda *_: RIGHT) as served:
        assert endpoint.model_name(served.url, None) == "tiny"
        assert endpoint.model_name(served.url, "tiny") == "tiny"
        with pytest.raises(ConfigError, match="no model 'other' on this server; it has tiny"):
            endpoint.model_name(served.url, "other")
    with serving(lambda *_: RIGHT, models=("a", "b:latest")) as served:
        assert endpoint.model_name(served.url, "b") == "b"
        with pytest.raises(ConfigError, match="which model"):
            endpoint.model_name(served.url, None)


def test_a_url_where_nothing_answers_is_named():
    with serving(lambda *_: RIGHT) as served:
        gone = served.url
    for url, reason in ((gone, "does not answer"), ("localhost:1", "does not answer"), ("x", "does not answer")):
        with pytest.raises(ConfigError, match=reason):
            endpoint.model_name(url, "tiny")


def test_a_server_without_models_is_named():
    with serving(lambda *_: RIGHT) as served:
        served.models = ()
        with pytest.raises(ConfigError, match="it has none"):
            endpoint.model_name(served.url, None)


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
                asked(served, "a")
        with pytest.raises(ConfigError, match=r"HTTP 302.*not followed"):
            endpoint.model_name(served.url, "tiny")
        assert other.headers == [] and other.requests == []
        assert set(served.attempts.values()) == {4}  # no GET came of a POST


@pytest.mark.parametrize("key", ["sesame\n", " sesame\r\n", "sesame"])
def test_a_line_end_behind_the_key_is_not_sent(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with serving(lambda *_: RIGHT) as served:
        assert asked(served, "a") == {"a": EMPTY}
        assert endpoint.model_name(served.url, None) == "tiny"
    assert {headers["Authorization"] for headers in served.headers} == {"Bearer sesame"}


@pytest.mark.parametrize("key", ["open\nsesame", "open sesame", "ses\u00e4me", "sesame\x1b[2J", "s\udce4same"])
def test_a_key_that_is_none_is_refused_and_not_shown(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with serving(lambda *_: RIGHT) as served:
        for ask in (lambda: asked(served, "a"), lambda: endpoint.model_name(served.url, None)):
            with pytest.raises(ConfigError, match="OPENAI_API_KEY: holds characters that no key has") as error:
                ask()
            assert "same" not in str(error.value)
    assert served.headers == []


def test_a_server_that_repeats_the_key_does_not_get_it_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    refusal = (401, b'{"error": {"message": "wrong key: Bearer sesame"}}')
    with serving(lambda *_: refusal) as served, pytest.raises(ConfigError, match=r"wrong key: Bearer \*\*\*"):
        asked(served, "a")
    with serving(lambda *_: (400, b"Bearer sesame")) as served:
        assert asked(served, "a") == {"a": Failure("HTTP 400: Bearer ***")}


def test_a_password_in_the_url_is_refused_and_not_shown():
    for url in ("http://ada:sesame@localhost:1/v1", "http://sesame@[::1/v1"):
        with pytest.raises(ConfigError, match="without a user and a password") as error:
            endpoint.model_name(url, "tiny")
        assert "sesame" not in str(error.value)


def test_no_file_is_read_in_place_of_a_server(tmp_path):
    (tmp_path / "models").write_text('{"data": [{"id": "tiny"}]}')
    with pytest.raises(ConfigError, match="does not answer"):
        endpoint.model_name(f"file://{tmp_path}", "tiny")


HOSTILE = st.sampled_from(
    [b"[" * 100_000, b"9" * 5000, b'{"choices": [' + b"9" * 5000 + b"]}", b"\xff\xfe{", b'{"choices": 3}', b"null", b""]
) | st.binary(max_size=60)


@given(st.sampled_from([200, 204, 300, 400, 418, 429, 500, 999]), HOSTILE)
def test_whatever_a_server_answers_is_an_answer_or_a_failure(status, body):
    with serving(lambda *_: (status, body)) as served:
        found = asked(served, "a", retries=0, concurrency=1)
    assert isinstance(found["a"], Failure)


def test_half_a_surrogate_pair_in_an_answer_is_replaced_when_it_is_written():
    from train.prediction import resume

    row = dict.fromkeys(resume.COLUMNS, "") | {"label": None, "output": None}
    text = "\ud83d"
    with serving(lambda *_: (200, completion(text))) as served:
        found = asked(served, "a")["a"]
    assert b'"output": "?"' in resume.line(row, found.text, found.cut)
