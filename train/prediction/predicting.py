"""The flags of `train.predict` → rows to predict, answers written as they arrive, and the output files."""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

from tqdm import tqdm

from schemas import answer_form, answers, key_list
from schemas.errors import ConfigError, MachineError, printable
from train import chat, corpus, load, output_file
from train.prediction import extractions, first_answers, labels, prompting, resume, shots, work
from train.prediction.answer_schema import NO_VALUES
from transforms import files
from transforms.endpoint import client, flags


@dataclass(frozen=True)
class Backend:
    """A generation backend. `settings`: what the answers depend on. `generate`: (number, prompt) → (number, answer)."""

    settings: Mapping
    generate: Callable[[Iterator], Iterable]


def run(arguments: argparse.Namespace) -> int:
    """Predicts the rows that have no prediction yet, and returns the exit code 0.

    Raises MachineError if rows remain without an answer.
    """
    check(arguments)
    if arguments.data is not None and not arguments.debug:
        quiet()
    todo = read_work(arguments)
    backend = endpoint_backend(arguments) if arguments.endpoint else local_backend(arguments)
    known, digest = work.number_rows(todo)
    examples = solved_examples(arguments, todo)
    guidance = guidance_of_answers(arguments) if arguments.guided else None
    meta = description(arguments, backend, len(todo), digest)
    path = arguments.output
    with resume.open_locked(path, meta) as stream:
        done = resume.read_progress(path, known).places
        missing = [number for number in range(len(todo)) if number not in done]
        if missing:
            files.remove_file(resume.sibling(path, "joined.jsonl"))  # of an earlier run
        if done and missing:
            log(f"{path}: {len(done):,} of {len(todo):,} rows already predicted, resuming")
        started = time.monotonic()
        failures: dict[int, str] = {}
        prompts = ((number, prompting.prompt(todo[number], examples, guidance)) for number in missing)
        with tqdm(
            total=len(todo), initial=len(done), unit=" rows", disable=not sys.stderr.isatty(), file=sys.stderr
        ) as bar:
            results = first_answers.warn_if_endless(backend.generate(prompts) if missing else ())
            if arguments.guided and arguments.endpoint:
                results = first_answers.warn_if_unguided(results, todo.rows)
            for _ in resume.append(stream, lines(todo, results, failures)):
                bar.update()
        seconds = time.monotonic() - started
        progress = resume.read_progress(path, known)
        if progress.unanswerable:
            resume.write_meta(path, meta | {resume.UNANSWERABLE: dict(sorted(progress.unanswerable.items()))})
        return finish(arguments, todo, progress, failures, len(missing), seconds)


def check(arguments: argparse.Namespace) -> None:
    """Checks paths and names before heavy libraries are imported. Raises ConfigError and MachineError."""
    path = arguments.output
    inputs = (
        arguments.data,
        arguments.texts,
        arguments.labels if isinstance(arguments.labels, str) else None,
        arguments.prompts,
        arguments.chat_template,
        arguments.config,
    )
    for output in (path, resume.sibling(path, "joined.jsonl"), resume.sibling(path, "meta.json")):
        output_file.check("--output", output, [name for name in inputs if name])
    if arguments.chat_template:
        chat.read_template(arguments.chat_template)
    if arguments.data is not None:
        corpus.check(arguments.data, arguments.split, arguments.task)
    if arguments.endpoint:
        client.check_url(arguments.endpoint)
        flags.request_keys(arguments.request)
    else:
        load.check(arguments.model or load.base_model(arguments.adapter), arguments.adapter)


def lines(todo: work.Work, results: Iterable, failures: dict[int, str]) -> Iterator[bytes]:
    """Yields the lines of rows with an answer or a final failure. Stores the reasons of the others in `failures`."""
    for number, result in results:
        if isinstance(result, answers.Answer):
            yield resume.line(todo[number], result.text, result.cut)
        elif result.is_final:
            yield resume.line(todo[number], None, False, result.reason)
        else:
            failures[number] = result.reason


def finish(
    arguments: argparse.Namespace,
    todo: work.Work,
    progress: resume.Progress,
    failures: Mapping[int, str],
    tried: int,
    seconds: float,
) -> int:
    path, extracted = arguments.output, resume.sibling(arguments.output, "joined.jsonl")
    unanswerable = progress.unanswerable.total()
    predicted = len(progress.places) - unanswerable
    counts = {
        "rows": len(todo),
        "predicted": predicted,
        "unanswerable": unanswerable,
        "failed": len(failures),
        "cut": progress.cut,
        "seconds": round(seconds, 1),
        "rows_per_s": round((tried - len(failures)) / seconds, 2) if seconds else None,
    }
    resume.put_in_order(path, progress.places)
    if not failures:
        extractions.write(path, extracted, todo.windows)
    if arguments.json:
        print(json.dumps(counts))
    if progress.cut:
        limit = arguments.max_new_tokens
        log(f"warning: {progress.cut:,} answers were cut at the token limit; raise --max_new_tokens ({limit})")
    if failures:
        first = min(failures)
        raise MachineError(
            f"{path}: {len(failures):,} of {len(todo):,} rows have no answer (first: {todo[first]['id']}: "
            f"{failures[first]}); run the same command again to retry them"
        )
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(progress.unanswerable.items()))
    if unanswerable and not predicted:
        raise MachineError(
            f"{path}: no row can be answered ({reasons}; line 1 says more); change the model or the server, and delete "
            "the file or choose another --output"
        )
    if unanswerable:
        log(f"note: {unanswerable:,} of {len(todo):,} rows cannot be answered and are not tried again: {reasons}")
    speed = f" in {seconds:.1f} s ({counts['rows_per_s']} rows/s)" if tried else ", all of them in earlier runs"
    log(f"{path}: {predicted:,} rows predicted{speed}; {extracted} contains the extracted items of each text")
    return 0


def read_work(arguments: argparse.Namespace) -> work.Work:
    if arguments.data is not None:
        return work.from_split(
            arguments.data,
            arguments.split,
            tasks=names(arguments.tasks, "--tasks"),
            sources=names(arguments.sources, "--sources"),
            revision=arguments.revision,
            task=arguments.task,
            limit=arguments.limit,
            label_order=arguments.label_order,
        )
    return work.from_texts(
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
        descriptions=arguments.descriptions,
        form=arguments.form or answer_form.DEFAULT,
    )


def names(value: str | list[str] | None, flag: str) -> list[str] | None:
    return key_list.split(value, flag) if isinstance(value, str) else value


def solved_examples(arguments: argparse.Namespace, todo: work.Work) -> shots.Shots | None:
    if not arguments.shots:
        return None
    if not corpus.has_split(arguments.data, "validation", arguments.revision):
        raise ConfigError(
            f"{arguments.data}: no validation split, from which --shots takes its examples; remove the flag"
        )
    rows = corpus.rows(
        arguments.data,
        "validation",
        tasks=names(arguments.tasks, "--tasks"),
        sources=names(arguments.sources, "--sources"),
        revision=arguments.revision,
    )
    return shots.read(rows, todo, arguments.shots, arguments.seed)


def guidance_of_answers(arguments: argparse.Namespace) -> prompting.Guidance:
    if arguments.texts:
        values = prompting.closed_values(labels.read(arguments.labels, arguments.task))
        return prompting.Guidance(arguments.max_items, lambda row: values)
    if os.path.isdir(arguments.data):
        return prompting.Guidance(arguments.max_items, prompting.values_in_build(arguments.data))
    return prompting.Guidance(arguments.max_items, lambda row: NO_VALUES)


def endpoint_backend(arguments: argparse.Namespace) -> Backend:
    server = flags.server(arguments, arguments.max_new_tokens)
    settings = {"endpoint": server.url, "model": server.model, "request": server.extra}
    return Backend(settings, lambda prompts: client.generate(server, prompts))


def local_backend(arguments: argparse.Namespace) -> Backend:
    """Checks the model's name and loads its tokenizer; the model is loaded with the first prompt."""
    from train.prediction import generate, generate_vllm

    if not arguments.debug:
        load.quiet()
    adapter = arguments.adapter
    model = arguments.model or load.base_model(adapter)
    remote = {"revision": arguments.model_revision, "trust_remote_code": arguments.trust_remote_code}
    tokenizer = chat.load_tokenizer(model, adapter=adapter, chat_template=arguments.chat_template, **remote)
    place = generate.device(arguments.device)
    if arguments.four_bit and place.type != "cuda":
        raise ConfigError(f"--four_bit: 4-bit weights need a CUDA device, this is {place}; remove the flag")
    dtype = generate.dtype_for(place)
    settings = {
        "backend": arguments.backend,
        "model": model,
        "model_files": resume.weights_digest(model) if os.path.exists(model) else arguments.model_revision,
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

    def generate_answers(prompts: Iterator):
        weights = load.load_model(model, adapter=adapter, dtype=dtype, four_bit=arguments.four_bit, **remote)
        loaded = generate.load(weights, tokenizer, place, arguments.guided)
        yield from generate.generate(loaded, prompts, arguments.max_new_tokens, arguments.batch_size)

    return Backend(settings, generate_answers)


def description(arguments: argparse.Namespace, backend: Backend, rows: int, digest: str) -> dict:
    """Everything that the answers depend on. Predictions are resumed only if all of it is equal."""
    data = (
        ("texts", "task", "labels", "form")
        if arguments.texts
        else ("data", "split", "task", "tasks", "sources", "limit")
    )
    generation = ("shots", "guided", "max_new_tokens", "seed", "label_order")
    packages = ("ieforge",) if arguments.endpoint else ("ieforge", "torch", "transformers", "peft")
    return {
        **backend.settings,
        **{name: getattr(arguments, name) for name in (*data, *generation)},
        "max_items": arguments.max_items if arguments.guided else None,
        "rows": rows,
        "rows_hash": digest,
        "versions": {name: metadata.version(name) for name in packages},
    }


def quiet() -> None:
    """Silences the logs and progress bars of the libraries, which also raise their errors."""
    import datasets
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()
    datasets.disable_progress_bars()


def log(line: str) -> None:
    print(printable(line), file=sys.stderr)
