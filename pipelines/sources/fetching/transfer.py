"""A URL → a local file. An interrupted transfer goes on where it stopped (RFC 9110, section 14: range requests)."""

import json
import os
import socket
import time
from pathlib import Path

import httpx2
from tqdm import tqdm

from schemas.errors import MachineError

ATTEMPTS = 4
FIRST_PAUSE_S = 1.0
TIMEOUT_S = 60.0
AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Status codes after which the same request may succeed."""


class TransferError(MachineError):
    """A file cannot be downloaded: the message has its URL and the reason."""


class _Interrupted(Exception):
    """An attempt failed in a way that another one may not."""


def download(url: str, path: Path, first_pause: float = FIRST_PAUSE_S) -> None:
    """Downloads the file into `path`.

    Until it is complete, its bytes are in `path` with the suffix .part, and the validators of the server in .validator:
    a later call asks for the rest only, and starts again if the file has changed. A failed attempt is repeated
    ATTEMPTS - 1 times, first after `first_pause` seconds and then after twice as long as before. Raises TransferError.
    """
    part = path.with_name(f"{path.name}.part")
    with _client(url) as client:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _attempt(client, url, part)
                break
            except (_Interrupted, httpx2.TransportError) as error:
                if _is_unknown_host(error):
                    raise TransferError(f"{url}: there is no such host; check the network and the address") from None
                if attempt == ATTEMPTS:
                    raise TransferError(
                        f"{url}: {error or type(error).__name__} ({ATTEMPTS} attempts); what was transferred is kept, "
                        "run the command again"
                    ) from None
                time.sleep(first_pause * 2 ** (attempt - 1))
            except (httpx2.InvalidURL, httpx2.TooManyRedirects) as error:
                raise TransferError(f"{url}: {error}") from None
    os.replace(part, path)
    _validator_file(part).unlink(missing_ok=True)


def _client(url: str) -> httpx2.Client:
    """A client that uses the proxies of the environment. Raises TransferError if one of them cannot be used."""
    try:
        return httpx2.Client(follow_redirects=True, timeout=TIMEOUT_S)
    except (ImportError, ValueError) as error:  # SOCKS without the package for it; an unknown scheme
        raise TransferError(f"{url}: the proxy that HTTP_PROXY or ALL_PROXY names cannot be used: {error}") from None


def _is_unknown_host(error: BaseException | None) -> bool:
    """Whether the name of a host has no address, which another attempt does not change."""
    while error:
        if isinstance(error, socket.gaierror):
            return error.errno == socket.EAI_NONAME
        error = error.__cause__ or error.__context__
    return False


def _validator_file(part: Path) -> Path:
    return part.with_suffix(".validator")


def _attempt(client: httpx2.Client, url: str, part: Path) -> None:
    """Requests the bytes that `part` lacks. Raises _Interrupted or httpx2.TransportError if a repetition may help."""
    validators = _validator_file(part)
    start = part.stat().st_size if part.exists() and validators.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # else the bytes on disk would not be those that a range counts
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": json.loads(validators.read_text(encoding="utf-8"))}
    with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code == 416 and answer.headers.get("content-range") == f"bytes */{start}":
            return  # it was complete
        if answer.status_code in AGAIN:
            raise _Interrupted(f"HTTP {answer.status_code}")
        if answer.status_code == 416:
            part.unlink()
            raise _Interrupted("the file on the server is shorter than before")
        if answer.status_code not in (200, 206):
            raise TransferError(f"{url}: HTTP {answer.status_code}; the address may have changed, see its homepage")
        start = start if answer.status_code == 206 else 0
        validator = _validator(answer)
        if validator:
            validators.write_text(json.dumps(validator), encoding="utf-8")
        else:
            validators.unlink(missing_ok=True)  # without one the server could not say that the file has changed
        _write(answer, part, start)


def _validator(answer: httpx2.Response) -> str:
    """A value for If-Range: a strong ETag, or else the date of the last change."""
    etag = answer.headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else answer.headers.get("last-modified", "")


def _write(answer: httpx2.Response, part: Path, start: int) -> None:
    """Writes the body after the first `start` bytes of `part`, with progress on stderr."""
    length = answer.headers.get("content-length")
    total = start + int(length) if length else None
    with (
        part.open("ab") as file,
        tqdm(
            total=total, initial=start, desc=part.stem[:30], unit="B", unit_scale=True, leave=False, disable=None
        ) as bar,
    ):
        file.truncate(start)
        for chunk in answer.iter_raw():
            file.write(chunk)
            bar.update(len(chunk))
        size = file.tell()
    if total is not None and size != total:
        raise _Interrupted(f"{size:,} of {total:,} bytes came")
