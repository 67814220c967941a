"""The files of a release → a dataset repository on the Hugging Face Hub: a branch, checked, then main and the tag.

Every call goes through `huggingface_hub`, which takes the token from HF_TOKEN or the login of `hf auth login`.
"""

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx2
import huggingface_hub
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.hf_api import DatasetInfo, RepoFile
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_stream_backoff, validate_repo_id
from tqdm import tqdm

from pipelines.release.contents import ReleaseFile, fingerprint
from schemas import json_values
from schemas.errors import ConfigError, MachineError, PublishError
from schemas.releases import MARKER, ReleaseRecord

Answer = TypeVar("Answer")

BUSY = (429, 500, 502, 503, 504)
CONFLICT = (409, 412)
TRIES = 5
LONGEST_WAIT_S = 300
READ_TIMEOUT_S = 60
BLOCK_BYTES = 1 << 20
NO_TAG = re.compile(r"[\s\x00-\x1f\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^[./-]|[./]$|\.lock(/|$)|^(main|@)?$")
"""What git forbids in the name of a tag (git-check-ref-format), and names that mean something else."""
AGAIN = "run the same command again: what has arrived is not sent again"


@dataclass(frozen=True)
class Outcome:
    """How many files were sent, and deleted; main's commit; whether the tag had to be moved."""

    sent: int
    deleted: int
    revision: str
    tag: str | None
    tag_moved: bool


def check_names(repo_id: str, tag: str | None) -> None:
    """Raises ConfigError for names that the Hub would not take."""
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise ConfigError(f"--repo_id: {str(error).splitlines()[0]}") from error
    if "/" not in repo_id:
        raise ConfigError(f"--repo_id {repo_id}: write org/name")
    if tag is not None and NO_TAG.search(tag):
        raise ConfigError(f"--tag {tag!r}: write a name such as v1")


def has_token() -> bool:
    return huggingface_hub.get_token() is not None


def publish(listed: Sequence[ReleaseFile], repo_id: str, private: bool, tag: str | None) -> Outcome:
    """Uploads what the repository lacks to a branch, compares what arrived, commits the same to main, moves the tag.

    main and the tag stay as they were until everything has arrived whole. The branch is named by the files, so a
    second try finds what the first one sent. Raises PublishError where the Hub or the repository does not let us,
    MachineError where the connection or the Hub fails.
    """
    huggingface_hub.utils.disable_progress_bars()
    api = HfApi()
    with hub_errors(repo_id):
        found = open_repository(api, repo_id, private)
        head, there = found.sha, tree(api, repo_id, found.sha)
        ours = {file.name for file in listed}
        earlier = files_of_release(repo_id, head) if MARKER in there else set()
        refuse_foreign(repo_id, there, ours | earlier)
        gone = earlier - ours
        sent = unlike(listed, there)
        deleted = len(gone & there.keys())
        branch = f"release-{fingerprint(listed)[:12]}"
        if sent or deleted:
            fill_branch(api, repo_id, branch, head, listed, sent, gone)
            head = commit(api, repo_id, "main", head, sent, gone & there.keys())
            damaged = unlike(listed, tree(api, repo_id, head))
            if damaged:
                raise MachineError(f"{repo_id}: main does not hold {damaged[0].name} as it was sent; {AGAIN}")
        refs = persist(lambda: api.list_repo_refs(repo_id, repo_type="dataset"))
        if any(ref.name == branch for ref in refs.branches):
            persist(lambda: api.delete_branch(repo_id, branch=branch, repo_type="dataset"))
        at = {ref.name: ref.target_commit for ref in refs.tags}
        moved = tag is not None and at.get(tag) != head
        if moved:
            if tag in at:
                persist(lambda: api.delete_tag(repo_id, tag=tag, repo_type="dataset"))
            persist(lambda: api.create_tag(repo_id, tag=tag, revision=head, repo_type="dataset"))
    return Outcome(len(sent), deleted, head, tag, moved)


def open_repository(api: HfApi, repo_id: str, private: bool) -> DatasetInfo:
    """The repository, made where there is none. Raises PublishError where it is public and must not be."""
    try:
        found = info(api, repo_id)
    except RepositoryNotFoundError:
        persist(lambda: api.create_repo(repo_id, repo_type="dataset", private=private or None, exist_ok=True))
        found = info(api, repo_id)
    if private and not found.private:
        raise PublishError(f"{repo_id} is public, and --private was asked for; make it private in its settings first")
    return found


def info(api: HfApi, repo_id: str, revision: str | None = None) -> DatasetInfo:
    return persist(lambda: api.dataset_info(repo_id, revision=revision))


def tree(api: HfApi, repo_id: str, revision: str) -> dict[str, RepoFile]:
    """Name → what the Hub knows of each file."""
    listed = api.list_repo_tree(repo_id, recursive=True, revision=revision, repo_type="dataset")
    return {entry.path: entry for entry in listed if isinstance(entry, RepoFile)}


def files_of_release(repo_id: str, revision: str) -> set[str]:
    """The files that the release in the repository lists."""
    content = b"".join(download(repo_id, MARKER, revision))
    try:
        return set(json_values.parse(content, ReleaseRecord, MARKER, "name another repository").files)
    except ConfigError as error:
        raise PublishError(f"{repo_id}: its {MARKER} is not one of ours; name another repository") from error


def refuse_foreign(repo_id: str, there: Iterable[str], known: Collection[str]) -> None:
    """Raises PublishError for files of others that loaders would take for data of the release."""
    foreign = sorted(name for name in there if name.startswith("data/") and name not in known)
    if foreign:
        raise PublishError(
            f"{repo_id} holds {foreign[0]}, which no release put there and load_dataset would read; "
            "delete it there, or name another repository"
        )


def unlike(listed: Iterable[ReleaseFile], there: Mapping[str, RepoFile]) -> list[ReleaseFile]:
    """The files that are not there with the same bytes, as far as the Hub's listing tells."""
    return [file for file in listed if file.name not in there or not is_same(file, there[file.name])]


def is_same(file: ReleaseFile, remote: RepoFile) -> bool:
    if remote.size != file.size:
        return False
    return remote.lfs.sha256 == file.sha256 if remote.lfs else remote.blob_id == git_blob_sha1(file.path)


def git_blob_sha1(path: str) -> str:
    """The id that git gives the file's content. Files that are not in LFS are small."""
    content = Path(path).read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def fill_branch(
    api: HfApi,
    repo_id: str,
    branch: str,
    start: str,
    listed: Sequence[ReleaseFile],
    sent: Sequence[ReleaseFile],
    gone: Collection[str],
) -> None:
    """Brings the files to `branch` and compares what arrived. One where something is damaged is deleted: the next
    try must not take it for whole.
    """
    persist(lambda: api.create_branch(repo_id, branch=branch, revision=start, repo_type="dataset", exist_ok=True))
    head = info(api, repo_id, branch).sha
    there = tree(api, repo_id, head)
    missing, stale = unlike(listed, there), gone & there.keys()
    if missing or stale:
        upload(api, repo_id, branch, missing)
        head = commit(api, repo_id, branch, head, missing, stale)
    there = tree(api, repo_id, head)
    damaged = unlike(listed, there)
    for file in progress("check", [file for file in sent if not damaged and there[file.name].lfs]):
        if arrived(repo_id, file.name, head) != (file.size, file.sha256):
            damaged.append(file)
    if damaged:
        persist(lambda: api.delete_branch(repo_id, branch=branch, repo_type="dataset"))
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        raise MachineError(
            f"{repo_id}: {damaged[0].name}{more} arrived damaged; main and the tag are as they were; "
            "run the same command again"
        )


def progress(what: str, listed: Sequence[ReleaseFile]) -> Iterator[ReleaseFile]:
    """The files, with a bar over their bytes on a terminal."""
    with tqdm(total=sum(file.size for file in listed), desc=what, unit="B", unit_scale=True, disable=None) as bar:
        for file in listed:
            yield file
            bar.update(file.size)


def upload(api: HfApi, repo_id: str, branch: str, listed: Sequence[ReleaseFile]) -> None:
    """Sends the shards to the Hub's storage, one at a time: an interrupt stops at once, and what was sent stays."""
    for file in progress("upload", [file for file in listed if file.name.endswith(".parquet")]):
        addition = CommitOperationAdd(file.name, file.path)
        persist(lambda: api.preupload_lfs_files(repo_id, [addition], repo_type="dataset", revision=branch))  # noqa: B023


def commit(
    api: HfApi, repo_id: str, revision: str, parent: str, listed: Sequence[ReleaseFile], gone: Collection[str]
) -> str:
    """One commit on top of `parent`; returns its id. What lies in the Hub's storage already is not sent again."""

    def send() -> str:
        operations = [
            *(CommitOperationAdd(file.name, file.path) for file in listed),
            *(CommitOperationDelete(name) for name in sorted(gone)),
        ]
        made = api.create_commit(
            repo_id,
            operations,
            commit_message=f"Release: {len(listed)} files",
            repo_type="dataset",
            revision=revision,
            parent_commit=parent,
        )
        return made.oid

    try:
        return persist(send)
    except HfHubHTTPError as error:
        if error.response.status_code not in CONFLICT:
            raise
        now = info(api, repo_id, revision).sha  # a commit whose answer was lost has been made all the same
        if now != parent and not unlike(listed, tree(api, repo_id, now)):
            return now
        raise


def download(repo_id: str, name: str, revision: str) -> Iterator[bytes]:
    url = huggingface_hub.hf_hub_url(repo_id, name, repo_type="dataset", revision=revision)
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    with http_stream_backoff("GET", url, headers=headers, timeout=READ_TIMEOUT_S) as response:
        hf_raise_for_status(response)
        yield from response.iter_bytes(BLOCK_BYTES)


def arrived(repo_id: str, name: str, revision: str) -> tuple[int, str]:
    """(bytes, SHA-256) of what the Hub gives back: of large files its listing only repeats what the upload claimed."""
    size, digest = 0, hashlib.sha256()
    for block in download(repo_id, name, revision):
        size += len(block)
        digest.update(block)
    return size, digest.hexdigest()


def persist(call: Callable[[], Answer]) -> Answer:
    """What the call returns, tried again while the Hub is busy; it tells how long to wait, or we wait ever longer."""
    for attempt in range(1, TRIES):
        try:
            return call()
        except HfHubHTTPError as error:
            if error.response.status_code not in BUSY:
                raise
            told = error.response.headers.get("Retry-After", "")
            time.sleep(min(float(told) if told.isdigit() else 2**attempt, LONGEST_WAIT_S))
    return call()


@contextmanager
def hub_errors(repo_id: str):
    """Turns what the Hub or the connection refuses into one line. No address is shown: those of uploads are signed."""
    try:
        yield
    except HfHubHTTPError as error:
        raise told(repo_id, error) from error
    except OfflineModeIsEnabled as error:
        raise ConfigError(f"{repo_id}: HF_HUB_OFFLINE is set, and publishing needs the Hub; unset it") from error
    except httpx2.UnsupportedProtocol as error:
        raise ConfigError(f"{repo_id}: HF_ENDPOINT is no address such as https://huggingface.co; mend it") from error
    except httpx2.TransportError as error:
        raise MachineError(f"{repo_id}: no connection to the Hub ({type(error).__name__}); {AGAIN}") from error
    except RuntimeError as error:  # the client's wrapping of what went wrong with one file
        cause = error.__cause__
        if isinstance(cause, HfHubHTTPError):
            raise told(repo_id, cause) from error
        if isinstance(cause, httpx2.TransportError):
            raise MachineError(f"{repo_id}: the connection broke ({type(cause).__name__}); {AGAIN}") from error
        raise
    except ValueError as error:  # the client's way to say that the Hub refuses a card, or a file for its storage
        raise PublishError(f"{repo_id}: {' '.join(str(error).split())}") from error


def told(repo_id: str, error: HfHubHTTPError) -> PublishError | MachineError:
    """What to do about the Hub's answer."""
    status = error.response.status_code
    says = f" ({' '.join(error.server_message.split())})" if error.server_message else ""
    match status:
        case 401:
            return PublishError(
                f"{repo_id}: the Hub does not know the token{says}; log in with `hf auth login`, or set HF_TOKEN"
            )
        case 403:
            return PublishError(f"{repo_id}: the token may not write there{says}; take one with write access")
        case 404:
            return PublishError(f"{repo_id}: not found{says}; check the name, and that the token may write there")
        case 409 | 412:
            return PublishError(
                f"{repo_id}: someone else has changed it meanwhile{says}; look at what they did, then run again"
            )
        case status if status in BUSY:
            return MachineError(f"{repo_id}: the Hub is busy or broken, status {status}{says}; {AGAIN}")
    return MachineError(f"{repo_id}: the Hub answers with status {status}{says}; {AGAIN}")
