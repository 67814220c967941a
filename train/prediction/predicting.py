"""The flags of `train.predict` → rows asked, answers written as they come, and the files that are made of them."""

import argparse
import hashlib
import json
import os
import reprlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

from tqdm import tqdm

from schemas import key_list
from schemas.errors import ConfigError, MachineError, printable
from train import chat, corpus, load, output_file
from train.prediction import answers, api_key, endpoint, extractions, guided, resume, shots, work
from transforms import files

FIRST = 32
"""Answers from which it can be told that a model does not stop."""


@dataclass(frozen=True)
class Backend:
    """A way to answer: `settings` of it decide the answers, `generate` takes (number, prompt) and gives answers."""

    settings: Mapping
    generate: Callable[[Iterator], Iterable]


def run(arguments: argparse.Namespace) -> int:
    """Predicts what is not predicted yet. Returns the exit code: 1 where rows stay without an answer."""
    check(arguments)
    if arguments.data is not None and not arguments.debug:
        quiet()
    todo = asked(arguments)
    backend = endpoint_backend(arguments) if arguments.endpoint else local_backend(arguments)
    known, digest = work.numbered(todo)
    examples = solved_examples(arguments, todo)
    meta = description(arguments, backend, len(todo), digest)
    path = arguments.output
    with resume.opened(path, meta) as stream:
        done, _ = resume.written(path, known)
        missing = [number for number in range(len(todo)) if number not in done]
        if missing:
            files.remove_file(resume.beside(path, "joined.jsonl"))  # of an earlier run
        if done and missing:
            tell(f"{path}: {len(done):,} of {len(todo):,} rows are there, going on")
        started = time.monotonic()
        failures: dict[int, str] = {}
        prompts = ((number, prompt(todo[number], examples, arguments.guided)) for number in missing)
        with tqdm(
            total=len(todo), initial=len(done), unit=" rows", disable=not sys.stderr.isatty(), file=sys.stderr
        ) as bar:
            results = backend.generate(prompts) if missing else ()
            for _ in resume.append(stream, lines(todo, ending(results), failures)):
                bar.update()
        seconds = time.monotonic() - started
        done, cut = resume.written(path, known)
        return finish(arguments, todo, done, cut, failures, len(missing), seconds)


def check(arguments: argparse.Namespace) -> None:
    """What can be told of paths before datasets, torch and transformers are imported. Raises ConfigError."""
    path = arguments.output
    inputs = (
        arguments.data,
        arguments.texts,
        arguments.labels,
        arguments.prompts,
        arguments.chat_template,
        arguments.config,
    )
    for written in (path, resume.beside(path, "joined.jsonl"), resume.beside(path, "meta.json")):
        output_file.check("--output", written, [name for name in inputs if name])
    if arguments.chat_template:
        chat.read_template(arguments.chat_template)
    if arguments.data is not None:
        corpus.check(arguments.data, arguments.split, arguments.task)
    if arguments.endpoint:
        endpoint.check_url(arguments.endpoint)
        request_keys(arguments.request)
    else:
        load.check(arguments.model or load.base_model(arguments.adapter), arguments.adapter)


def ending(results: Iterable) -> Iterator:
    """`results`; where the first FIRST answers all ran to the token limit, it is said once, long before the end."""
    cut = 0
    for seen, (number, result) in enumerate(results, 1):
        yield number, result
        cut += isinstance(result, answers.Answer) and result.cut
        if seen == cut == FIRST:
            tqdm.write(
                f"note: the first {FIRST} answers all ran to the token limit: this model does not end its answers "
                "(untrained, or another chat template than in training); a lower --max_new_tokens is faster",
                file=sys.stderr,
            )


def lines(todo: work.Work, results: Iterable, failures: dict[int, str]) -> Iterator[bytes]:
    """The lines of the rows that have an answer; why others have none goes into `failures`."""
    for number, result in results:
        if isinstance(result, answers.Failure):
            failures[number] = result.reason
        else:
            yield resume.line(todo[number], result.text, result.cut)


def finish(
    arguments: argparse.Namespace,
    todo: work.Work,
    done: Mapping[int, int],
    cut: int,
    failures: Mapping[int, str],
    tried: int,
    seconds: float,
) -> int:
    path, extracted = arguments.output, resume.beside(arguments.output, "joined.jsonl")
    counts = {
        "rows": len(todo),
        "predicted": len(done),
        "failed": len(failures),
        "cut": cut,
        "seconds": round(seconds, 1),
        "rows_per_s": round((tried - len(failures)) / seconds, 2) if seconds else None,
    }
    resume.put_in_order(path, done)
    if not failures:
        extractions.write(path, extracted, todo.windows)
    if arguments.json:
        print(json.dumps(counts))
    if cut:
        limit = arguments.max_new_tokens
        tell(f"warning: {cut:,} answers were cut at the token limit; raise --max_new_tokens ({limit})")
    if failures:
        first = min(failures)
        raise MachineError(
            f"{path}: {len(failures):,} of {len(todo):,} rows have no answer (first: {todo[first]['id']}: "
            f"{failures[first]}); the same command tries them again"
        )
    speed = f" in {seconds:.1f} s ({counts['rows_per_s']} rows/s)" if tried else ", all there before"
    tell(f"{path}: {len(done):,} rows predicted{speed}; {extracted} has what was found in each text")
    return 0


def asked(arguments: argparse.Namespace) -> work.Work:
    if arguments.data is not None:
        return work.of_split(
            arguments.data,
            arguments.split,
            tasks=names(arguments.tasks, "--tasks"),
            sources=names(arguments.sources, "--sources"),
            revision=arguments.revision,
            task=arguments.task,
            limit=arguments.limit,
            label_order=arguments.label_order,
        )
    return work.of_texts(
        arguments.texts,
        arguments.task,
        arguments.labels,
        lang=arguments.lang,
        prompt_file=arguments.prompts,
        split_num=arguments.split_num,
        max_chars=arguments.max_chars,
        overlap_chars=arguments.overlap_chars,
        seed=arguments.seed,
        label_order=arguments.label_order,
    )


def names(listed: str | None, flag: str) -> list[str] | None:
    return key_list.split(listed, flag) if listed else None


def solved_examples(arguments: argparse.Namespace, todo: work.Work) -> shots.Shots | None:
    if not arguments.shots:
        return None
    if not corpus.has_split(arguments.data, "validation", arguments.revision):
        raise ConfigError(f"{arguments.data}: no validation split, from which --shots takes its examples; leave it out")
    rows = corpus.rows(
        arguments.data,
        "validation",
        tasks=names(arguments.tasks, "--tasks"),
        sources=names(arguments.sources, "--sources"),
        revision=arguments.revision,
    )
    return shots.read(rows, todo, arguments.shots, arguments.seed)


def prompt(row: Mapping, examples: shots.Shots | None, is_guided: bool) -> answers.Prompt:
    schema = guided.json_schema(row["task"], json.loads(row["instruction"])["schema"]) if is_guided else None
    return answers.Prompt(row["instruction"], examples.of(row) if examples else (), schema)


def endpoint_backend(arguments: argparse.Namespace) -> Backend:
    url = arguments.endpoint.rstrip("/")
    extra = request_keys(arguments.request)
    server = endpoint.Endpoint(
        url=url,
        model=endpoint.model_name(url, arguments.model),
        max_new_tokens=arguments.max_new_tokens,
        concurrency=arguments.concurrency,
        retries=arguments.retries,
        timeout_s=arguments.timeout_s,
        backoff_s=arguments.backoff_s,
        extra=extra,
    )
    settings = {"endpoint": url, "model": server.model, "request": extra}
    return Backend(settings, lambda prompts: endpoint.generate(server, prompts))


def request_keys(given: str | None) -> dict:
    """Raises ConfigError for what is no JSON object, holds the key, or no request can hold (NaN, no UTF-8)."""
    if not given:
        return {}
    api_key.check_absent(given, "--request")
    try:
        extra = json.loads(given)
        json.dumps(extra, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"--request {reprlib.repr(given)}: holds half a surrogate pair; correct it") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--request {reprlib.repr(given)}: no valid JSON") from error
    if not isinstance(extra, dict):
        raise ConfigError(f"--request {reprlib.repr(given)}: must be a JSON object")
    return extra


def local_backend(arguments: argparse.Namespace) -> Backend:
    """The model is loaded when the first answer is asked for; what is wrong with its name or tokenizer is said now."""
    from train.prediction import generate, generate_vllm

    if not arguments.debug:
        load.quiet()
    adapter = arguments.adapter
    model = arguments.model or load.base_model(adapter)
    remote = {"revision": arguments.model_revision, "trust_remote_code": arguments.trust_remote_code}
    tokenizer = chat.load_tokenizer(model, adapter=adapter, chat_template=arguments.chat_template, **remote)
    place = generate.device(arguments.device)
    if arguments.four_bit and place.type != "cuda":
        raise ConfigError(f"--four_bit: 4-bit weights need a CUDA device, this is {place}; leave the flag out")
    dtype = generate.dtype_for(place)
    settings = {
        "backend": arguments.backend,
        "model": model,
        "model_files": resume.weights_digest(model) if os.path.isdir(model) else arguments.model_revision,
        "adapter": adapter,
        "adapter_files": resume.weights_digest(adapter) if os.path.isdir(adapter or "") else None,
        "chat_template": hashlib.sha256(tokenizer.chat_template.encode()).hexdigest()[:16],
        "four_bit": arguments.four_bit,
        "dtype": dtype,
    }
    if arguments.backend == "vllm":
        limit = arguments.max_new_tokens
        return Backend(
            settings,
            lambda prompts: generate_vllm.generate(model, tokenizer, prompts, limit, adapter=adapter, **remote),
        )

    def answered(prompts: Iterator):
        weights = load.load_model(model, adapter=adapter, dtype=dtype, four_bit=arguments.four_bit, **remote)
        loaded = generate.load(weights, tokenizer, place, arguments.guided)
        yield from generate.generate(loaded, prompts, arguments.max_new_tokens, arguments.batch_size)

    return Backend(settings, answered)


def description(arguments: argparse.Namespace, backend: Backend, rows: int, digest: str) -> dict:
    """What the answers depend on: predictions are gone on with only where all of it is the same."""
    data = ("texts", "task", "labels") if arguments.texts else ("data", "split", "task", "tasks", "sources", "limit")
    asking = ("shots", "guided", "max_new_tokens", "seed", "label_order")
    packages = ("ieforge",) if arguments.endpoint else ("ieforge", "torch", "transformers", "peft")
    return {
        **backend.settings,
        **{name: getattr(arguments, name) for name in (*data, *asking)},
        "rows": rows,
        "rows_hash": digest,
        "versions": {name: metadata.version(name) for name in packages},
    }


def quiet() -> None:
    """The libraries' own logs and bars are for debugging; what goes wrong is raised as well."""
    import datasets
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()
    datasets.disable_progress_bars()


def tell(line: str) -> None:
    print(printable(line), file=sys.stderr)
