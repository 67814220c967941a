"""A file of predictions: appended row by row, taken up after a kill, put into the order of the data at the end."""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

import msgspec

from schemas.errors import ConfigError, MachineError
from train.prediction.work import keys
from transforms import files

COLUMNS = ("id", "example_id", "task", "source", "lang", "split", "text_sha256", "instruction", "labels")
"""What a line takes from its row, before the gold `label`, the answer `output` and whether it was `cut`."""

SYNC_S = 5.0


def beside(path: str, ending: str) -> str:
    """`predictions.jsonl` → `predictions.<ending>`."""
    return f"{path.removesuffix('.jsonl')}.{ending}"


def line(row: Mapping, output: str, cut: bool) -> bytes:
    """A row and its answer as a line of the file; `label` is the gold, of train and validation rows their `output`."""
    content = {name: row[name] for name in COLUMNS}
    content["label"] = row["output"] if row["label"] is None else row["label"]
    content |= {"output": output, "cut": cut}
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def check_meta(path: str, meta: Mapping) -> bool:
    """Whether there are predictions to go on with. Raises ConfigError where they were made in another way than `meta`
    says, or where nothing says how.
    """
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return False
    name = beside(path, "meta.json")
    if not os.path.exists(name):
        raise ConfigError(f"{path}: is there already, without {name} to say how it was made; name another --output")
    try:
        before = msgspec.json.decode(files.read_bytes(name), type=dict)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: no valid JSON; delete it with {path}, or name another --output") from error
    for key in {**meta, **before}:
        old, new = before.get(key), meta.get(key)
        if old != new:
            raise ConfigError(
                f"{path}: made with {key} = {_short(old)}, now it is {_short(new)}; name another --output or delete it"
            )
    return True


def _short(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


@contextmanager
def opened(path: str, meta: Mapping) -> Iterator[BinaryIO]:
    """The file, locked, to append to; a half last line is cut off, and `<name>.meta.json` says `meta`.

    Raises ConfigError where another process holds the file or it was made in another way than `meta` says.
    """
    with files.machine_errors(path):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        stream = open(path, "a+b")  # noqa: SIM115 (closed below)
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"{path}: another process writes into it; wait, or name another --output") from error
        if not check_meta(path, meta):
            files.write_text(beside(path, "meta.json"), json.dumps(meta, indent=1) + "\n")
        stream.truncate(_whole_lines(stream))
        yield stream


def _whole_lines(stream: BinaryIO) -> int:
    """Bytes up to and including the last line feed."""
    end = stream.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65536)
        stream.seek(start)
        found = stream.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def append(stream: BinaryIO, lines: Iterable[bytes]) -> Iterator[None]:
    """Writes line after line; they reach the disk every SYNC_S seconds and at the end, however it comes."""
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


def written(path: str, known: Mapping[str, int]) -> tuple[dict[int, int], int]:
    """Number of the row → place of its line (bytes), and how many answers were cut. `known`: key → number of the row.

    Raises ConfigError, with the line, for one that is none of ours or stands there twice.
    """
    places: dict[int, int] = {}
    cut = at = 0
    with open(path, "rb") as stream:
        for number, (content, key) in enumerate(_keyed(path, stream), 1):
            row = known.get(key)
            if row is None or row in places:
                what = "a row that stands here already" if row in places else "not a row of this data"
                raise ConfigError(f"{path}:{number}: {what}; delete the file, or name another --output")
            places[row] = at
            at += len(content)
            cut += content.rstrip().endswith(b'"cut": true}')
    return places, cut


def _keyed(path: str, stream: BinaryIO) -> Iterator[tuple[bytes, str]]:
    contents: list[bytes] = []

    def rows() -> Iterator[dict]:
        for number, content in enumerate(stream, 1):
            try:
                row = msgspec.json.decode(content)
                row["id"], row["example_id"], row["task"], row["source"], row["instruction"], row["output"]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise ConfigError(
                    f"{path}:{number}: no row of predictions; delete it, or name another --output"
                ) from error
            contents.append(content)
            yield row

    for key in keys(rows()):
        yield contents.pop(), key


def put_in_order(path: str, places: Mapping[int, int]) -> None:
    """Writes the lines anew in the order of their rows, where they stand in another."""
    ordered = [places[row] for row in sorted(places)]
    if ordered == sorted(ordered):
        return
    with open(path, "rb") as stream, files.atomic_write(path) as sink:
        for place in ordered:
            stream.seek(place)
            sink.write(stream.readline())


def weights_digest(folder: str) -> str:
    """A hash of a model's or an adapter's files: of the large ones, 256 blocks spread over them. A model trained anew
    into the same folder has another.
    """
    found = hashlib.sha256()
    try:
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if not os.path.isfile(path) or not name.endswith((".safetensors", ".bin", ".json", ".jinja", ".model")):
                continue
            size = os.path.getsize(path)
            found.update(f"{name}\0{size}\0".encode())
            with open(path, "rb") as file:
                for block in range(256):
                    file.seek(max(0, size - 4096) * block // 255)
                    found.update(file.read(4096))
    except OSError as error:
        raise MachineError(f"{folder}: {error.strerror}; check its permissions") from error
    return found.hexdigest()[:16]
