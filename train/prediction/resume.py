"""A file of predictions: appended row by row, resumed after an interruption, sorted into data order at the end."""

import fcntl
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

import msgspec

from schemas import answer_form
from schemas.errors import ConfigError, MachineError
from train.corpus import row_form
from train.gguf_files import header
from train.prediction.work import keys
from transforms import answer_forms, files

COLUMNS = ("id", "example_id", "task", "source", "lang", "split", "text_sha256", "instruction", "labels")
"""The columns of a row in its line, followed by the gold `label`, the answer `output` and whether it was `cut`."""

WEIGHTS = (".safetensors", ".bin", ".gguf", ".json", ".jinja", ".model")
"""Ends of the names of the files that the answers of a model depend on."""

UNANSWERABLE = "unanswerable"
"""The key of `meta.json` with the counts of rows that cannot be answered, by reason."""

SYNC_S = 5.0
"""Seconds between two syncs to disk."""


def sibling(path: str, ending: str) -> str:
    """`predictions.jsonl` → `predictions.<ending>`."""
    return f"{path.removesuffix('.jsonl')}.{ending}"


def line(row: Mapping, output: str | None, cut: bool, unanswerable: str | None = None) -> bytes:
    """A row and its answer as a line of the file. `label` is the gold: in train and validation rows, their `output`, in
    IEPile's form. `form` is left out if it is this one. `unanswerable`: why there can be no answer; left out else.
    """
    content = {name: row[name] for name in COLUMNS}
    form = row_form(row)
    if form != answer_form.DEFAULT:
        content["form"] = form
    content["label"] = row["output"] if row["label"] is None else row["label"]
    if form != answer_form.DEFAULT and row["label"] is None and row["output"] is not None:
        content["label"] = answer_forms.as_object(form, row["task"], row["output"])
    if unanswerable is not None:
        content["unanswerable"] = unanswerable
    content |= {"output": output, "cut": cut}
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def check_meta(path: str, meta: Mapping) -> bool:
    """Whether there are predictions to resume. Raises ConfigError if they were made with settings other than `meta`,
    or if the file with their settings is missing.
    """
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return False
    name = sibling(path, "meta.json")
    if not os.path.exists(name):
        raise ConfigError(
            f"{path}: exists, but {name}, which records how it was made, is missing; choose another --output"
        )
    try:
        before = msgspec.json.decode(files.read_bytes(name), type=dict)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: invalid JSON; delete it and {path}, or choose another --output") from error
    for key in {**meta, **before}.keys() - {UNANSWERABLE}:
        old, new = before.get(key), meta.get(key)
        if old != new:
            raise ConfigError(
                f"{path}: made with {key} = {_short(old)}, now it is {_short(new)}; choose another --output"
            )
    return True


def _short(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


@contextmanager
def open_locked(path: str, meta: Mapping) -> Iterator[BinaryIO]:
    """Opens and locks the file for appending. Removes an incomplete last line and writes `meta` to `<name>.meta.json`.

    Raises ConfigError if another process has locked the file, or as `check_meta` does.
    """
    with files.machine_errors(path):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        stream = open(path, "a+b")  # noqa: SIM115 (closed below)
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"{path}: another process is writing into it; wait, or choose another --output"
            ) from error
        if not check_meta(path, meta):
            write_meta(path, meta)
        stream.truncate(_whole_lines(stream))
        yield stream


def write_meta(path: str, meta: Mapping) -> None:
    files.write_text(sibling(path, "meta.json"), json.dumps(meta, indent=1) + "\n")


def _whole_lines(stream: BinaryIO) -> int:
    """Bytes up to and including the last line feed."""
    end = stream.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65536)
        stream.seek(start)
        position = stream.read(end - start).rfind(b"\n")
        if position >= 0:
            return start + position + 1
        end = start
    return 0


def append(stream: BinaryIO, lines: Iterable[bytes]) -> Iterator[None]:
    """Writes the lines, and syncs them to disk every SYNC_S seconds and at the end, also after an exception."""
    synced = time.monotonic()
    try:
        for content in lines:
            with files.machine_errors(stream.name):
                stream.write(content)
                stream.flush()
                if time.monotonic() - synced > SYNC_S:
                    os.fsync(stream.fileno())
                    synced = time.monotonic()
            yield
    finally:
        with files.machine_errors(stream.name):
            os.fsync(stream.fileno())


@dataclass(frozen=True)
class Progress:
    """What a file of predictions contains. `places`: row number → byte offset of its line. `cut`: number of answers
    that were cut. `unanswerable`: number of rows that cannot be answered, by reason (`reason_kind`).
    """

    places: dict[int, int]
    cut: int
    unanswerable: Counter[str]


def reason_kind(reason: str) -> str:
    """A reason without its details: `prompt too long: 9 tokens, …` → `prompt too long`."""
    return reason.partition(":")[0]


def read_progress(path: str, numbers: Mapping[str, int]) -> Progress:
    """`numbers`: key → row number. Raises ConfigError, with the line, for an unknown or repeated row."""
    progress = Progress({}, 0, Counter())
    cut = at = 0
    with open(path, "rb") as stream:
        for number, (content, key, reason) in enumerate(_keyed(path, stream), 1):
            row = numbers.get(key)
            if row is None or row in progress.places:
                problem = "not a row of this data" if row is None else "a repeated row"
                raise ConfigError(f"{path}:{number}: {problem}; delete the file, or choose another --output")
            progress.places[row] = at
            at += len(content)
            cut += content.rstrip().endswith(b'"cut": true}')
            if reason is not None:
                progress.unanswerable[reason_kind(str(reason))] += 1
    return replace(progress, cut=cut)


def _keyed(path: str, stream: BinaryIO) -> Iterator[tuple[bytes, str, object]]:
    """Yields each line, the key of its row, and why the row cannot be answered (None: it is)."""
    read: list[tuple[bytes, object]] = []

    def rows() -> Iterator[dict]:
        for number, content in enumerate(stream, 1):
            try:
                row = msgspec.json.decode(content)
                row["id"], row["example_id"], row["task"], row["source"], row["instruction"], row["output"]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise ConfigError(
                    f"{path}:{number}: not a row of predictions; delete it, or choose another --output"
                ) from error
            read.append((content, row.get(UNANSWERABLE)))
            yield row

    for key in keys(rows()):
        content, reason = read.pop()
        yield content, key, reason


def put_in_order(path: str, places: Mapping[int, int]) -> None:
    """Rewrites the file with its lines in the order of their rows, unless they are already in order."""
    ordered = [places[row] for row in sorted(places)]
    if ordered == sorted(ordered):
        return
    with open(path, "rb") as stream, files.atomic_write(path) as sink:
        for place in ordered:
            stream.seek(place)
            sink.write(stream.readline())


def weights_digest(folder: str) -> str:
    """A hash of the files of a model or adapter, from 256 blocks spread over each file. A GGUF file is hashed whole.

    It changes if a model is trained again into the same folder. Raises MachineError for an unreadable folder.
    """
    if os.path.isfile(folder):
        return header.sha256(folder)[:16]
    digest = hashlib.sha256()
    try:
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if not os.path.isfile(path) or not name.endswith(WEIGHTS):
                continue
            size = os.path.getsize(path)
            digest.update(f"{name}\0{size}\0".encode())
            with open(path, "rb") as file:
                for block in range(256):
                    file.seek(max(0, size - 4096) * block // 255)
                    digest.update(file.read(4096))
    except OSError as error:
        raise MachineError(f"{folder}: {error.strerror}; check its permissions") from error
    return digest.hexdigest()[:16]
