"""The files of a release → a dataset repository on the Hugging Face Hub: first a branch, then main and the tag.

All calls use `huggingface_hub`, which takes the token from HF_TOKEN or `hf auth login`.
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
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
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
"""Tag names that git forbids (git-check-ref-format) or that have another meaning."""
AGAIN = "run the same command again; uploaded files are not sent again"


@dataclass(frozen=True)
class Outcome:
    """The numbers of files sent and deleted, the commit of main, the tag, and whether it was moved."""

    sent: int
    deleted: int
    revision: str
    tag: str | None
    tag_moved: bool


def check_names(repo_id: str, tag: str | None) -> None:
    """Raises ConfigError for names that the Hub would reject."""
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


def publish(local_files: Sequence[ReleaseFile], repo_id: str, private: bool, tag: str | None) -> Outcome:
    """Uploads missing files to a branch, verifies them, commits them to main, and moves the tag.

    main and the tag are unchanged until all files have been verified. The name of the branch is a hash of the files, so
    a second run finds the uploads of the first. Raises PublishError if the Hub or the repository refuses, MachineError
    if the connection or the Hub fails.
    """
    huggingface_hub.utils.disable_progress_bars()
    api = HfApi()
    with hub_errors(repo_id):
        head = head_commit(open_repository(api, repo_id, private))
        there = tree(api, repo_id, head)
        names = {file.name for file in local_files}
        earlier = release_files(repo_id, head) if MARKER in there else set()
        refuse_foreign(repo_id, there, names | earlier)
        gone = earlier - names
        sent = differing(local_files, there)
        deleted = len(gone & there.keys())
        branch = f"release-{fingerprint(local_files)[:12]}"
        if sent or deleted:
            fill_branch(api, repo_id, branch, head, local_files, sent, gone)
            head = commit(api, repo_id, "main", head, sent, gone & there.keys())
            damaged = differing(local_files, tree(api, repo_id, head))
            if damaged:
                raise MachineError(
                    f"{repo_id}: main has a {damaged[0].name} that differs from the one that was sent; {AGAIN}"
                )
        refs = persist(lambda: api.list_repo_refs(repo_id, repo_type="dataset"))
        if any(ref.name == branch for ref in refs.branches):
            persist(lambda: api.delete_branch(repo_id, branch=branch, repo_type="dataset"))
        commits = {ref.name: ref.target_commit for ref in refs.tags}
        moved = tag is not None and commits.get(tag) != head
        if tag is not None and moved:
            if tag in commits:
                persist(lambda: api.delete_tag(repo_id, tag=tag, repo_type="dataset"))
            persist(lambda: api.create_tag(repo_id, tag=tag, revision=head, repo_type="dataset"))
    return Outcome(len(sent), deleted, head, tag, moved)


def open_repository(api: HfApi, repo_id: str, private: bool) -> DatasetInfo:
    """The repository, created if it does not exist. Raises PublishError if it is public although `private` is set."""
    try:
        repository = info(api, repo_id)
    except RepositoryNotFoundError:
        persist(lambda: api.create_repo(repo_id, repo_type="dataset", private=private or None, exist_ok=True))
        repository = info(api, repo_id)
    if private and not repository.private:
        raise PublishError(f"{repo_id} is public, but --private was given; make it private in its settings first")
    return repository


def info(api: HfApi, repo_id: str, revision: str | None = None) -> DatasetInfo:
    return persist(lambda: api.dataset_info(repo_id, revision=revision))


def head_commit(repository: DatasetInfo) -> str:
    """The commit id of a repository or branch. The Hub always sends one."""
    if repository.sha is None:
        raise MachineError(f"{repository.id}: the Hub sent no commit id; {AGAIN}")
    return repository.sha


def tree(api: HfApi, repo_id: str, revision: str) -> dict[str, RepoFile]:
    """Name → the Hub's metadata of the file."""
    entries = api.list_repo_tree(repo_id, recursive=True, revision=revision, repo_type="dataset")
    return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}


def release_files(repo_id: str, revision: str) -> set[str]:
    """The names of the files listed by the release in the repository."""
    content = b"".join(download(repo_id, MARKER, revision))
    try:
        return set(json_values.parse(content, ReleaseRecord, MARKER, "choose another repository").files)
    except ConfigError as error:
        raise PublishError(f"{repo_id}: its {MARKER} was not written by IEForge; choose another repository") from error


def refuse_foreign(repo_id: str, there: Iterable[str], known: Collection[str]) -> None:
    """Raises PublishError for files that are not from a release but that loaders would read as its data."""
    foreign = sorted(name for name in there if name.startswith("data/") and name not in known)
    if foreign:
        raise PublishError(
            f"{repo_id} contains {foreign[0]}, which is not from a release but would be read by load_dataset; "
            "delete it there, or choose another repository"
        )


def differing(local_files: Iterable[ReleaseFile], there: Mapping[str, RepoFile]) -> list[ReleaseFile]:
    """The files that are missing or differ, according to the Hub's listing."""
    return [file for file in local_files if file.name not in there or not is_same(file, there[file.name])]


def is_same(file: ReleaseFile, remote: RepoFile) -> bool:
    if remote.size != file.size:
        return False
    return remote.lfs.sha256 == file.sha256 if remote.lfs else remote.blob_id == git_blob_sha1(file.path)


def git_blob_sha1(path: str) -> str:
    """The git object id of the file's content. Files outside of LFS are small."""
    content = Path(path).read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def fill_branch(
    api: HfApi,
    repo_id: str,
    branch: str,
    start: str,
    local_files: Sequence[ReleaseFile],
    sent: Sequence[ReleaseFile],
    gone: Collection[str],
) -> None:
    """Uploads the files to `branch` and verifies them. If a file is damaged the branch is deleted, so that the next run
    does not rely on it.
    """
    persist(lambda: api.create_branch(repo_id, branch=branch, revision=start, repo_type="dataset", exist_ok=True))
    head = head_commit(info(api, repo_id, branch))
    there = tree(api, repo_id, head)
    missing, stale = differing(local_files, there), gone & there.keys()
    if missing or stale:
        upload(api, repo_id, branch, missing)
        head = commit(api, repo_id, branch, head, missing, stale)
    there = tree(api, repo_id, head)
    damaged = differing(local_files, there)
    for file in progress("check", [file for file in sent if not damaged and there[file.name].lfs]):
        if download_digest(repo_id, file.name, head) != (file.size, file.sha256):
            damaged.append(file)
    if damaged:
        persist(lambda: api.delete_branch(repo_id, branch=branch, repo_type="dataset"))
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        raise MachineError(
            f"{repo_id}: {damaged[0].name}{more} was damaged in the upload; main and the tag are unchanged; "
            "run the same command again"
        )


def progress(description: str, local_files: Sequence[ReleaseFile]) -> Iterator[ReleaseFile]:
    """Yields the files, with a progress bar over their bytes on a terminal."""
    with tqdm(
        total=sum(file.size for file in local_files), desc=description, unit="B", unit_scale=True, disable=None
    ) as bar:
        for file in local_files:
            yield file
            bar.update(file.size)


def upload(api: HfApi, repo_id: str, branch: str, local_files: Sequence[ReleaseFile]) -> None:
    """Sends the shards to the Hub's storage one by one: an interrupt takes effect at once and sent shards are kept."""
    for file in progress("upload", [file for file in local_files if file.name.endswith(".parquet")]):
        addition = CommitOperationAdd(file.name, file.path)
        persist(lambda: api.preupload_lfs_files(repo_id, [addition], repo_type="dataset", revision=branch))  # noqa: B023


def commit(
    api: HfApi, repo_id: str, revision: str, parent: str, local_files: Sequence[ReleaseFile], gone: Collection[str]
) -> str:
    """Creates one commit on top of `parent` and returns its id. Files in the Hub's storage are not sent again."""

    def send() -> str:
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = [
            *(CommitOperationAdd(file.name, file.path) for file in local_files),
            *(CommitOperationDelete(name) for name in sorted(gone)),
        ]
        created = api.create_commit(
            repo_id,
            operations,
            commit_message=f"Release: {len(local_files)} files",
            repo_type="dataset",
            revision=revision,
            parent_commit=parent,
        )
        return created.oid

    try:
        return persist(send)
    except HfHubHTTPError as error:
        if error.response.status_code not in CONFLICT:
            raise
        now = head_commit(info(api, repo_id, revision))  # a commit whose response was lost may exist
        if now != parent and not differing(local_files, tree(api, repo_id, now)):
            return now
        raise


def download(repo_id: str, name: str, revision: str) -> Iterator[bytes]:
    url = huggingface_hub.hf_hub_url(repo_id, name, repo_type="dataset", revision=revision)
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    with http_stream_backoff("GET", url, headers=headers, timeout=READ_TIMEOUT_S) as response:
        hf_raise_for_status(response)
        yield from response.iter_bytes(BLOCK_BYTES)


def download_digest(repo_id: str, name: str, revision: str) -> tuple[int, str]:
    """(bytes, SHA-256) of a downloaded file. For large files the Hub's listing only repeats the claim of the upload."""
    size, digest = 0, hashlib.sha256()
    for block in download(repo_id, name, revision):
        size += len(block)
        digest.update(block)
    return size, digest.hexdigest()


def persist(call: Callable[[], Answer]) -> Answer:
    """The result of the call, retried while the Hub is busy: after Retry-After seconds, or with increasing delay."""
    for attempt in range(1, TRIES):
        try:
            return call()
        except HfHubHTTPError as error:
            if error.response.status_code not in BUSY:
                raise
            retry_after = error.response.headers.get("Retry-After", "")
            time.sleep(min(float(retry_after) if retry_after.isdigit() else 2**attempt, LONGEST_WAIT_S))
    return call()


@contextmanager
def hub_errors(repo_id: str):
    """Turns errors of the Hub or the connection into one line, without URLs, since those of uploads are signed."""
    try:
        yield
    except HfHubHTTPError as error:
        raise as_project_error(repo_id, error) from error
    except OfflineModeIsEnabled as error:
        raise ConfigError(f"{repo_id}: HF_HUB_OFFLINE is set, and publishing needs the Hub; unset it") from error
    except httpx2.UnsupportedProtocol as error:
        raise ConfigError(f"{repo_id}: HF_ENDPOINT is not a URL such as https://huggingface.co; fix it") from error
    except httpx2.TransportError as error:
        raise MachineError(f"{repo_id}: no connection to the Hub ({type(error).__name__}); {AGAIN}") from error
    except RuntimeError as error:  # the client wraps errors of single files in it
        cause = error.__cause__
        if isinstance(cause, HfHubHTTPError):
            raise as_project_error(repo_id, cause) from error
        if isinstance(cause, httpx2.TransportError):
            raise MachineError(f"{repo_id}: the connection broke ({type(cause).__name__}); {AGAIN}") from error
        raise
    except ValueError as error:  # raised by the client if the Hub rejects a card or a file
        raise PublishError(f"{repo_id}: {' '.join(str(error).split())}") from error


def as_project_error(repo_id: str, error: HfHubHTTPError) -> PublishError | MachineError:
    """The error for a response of the Hub, with what to do."""
    status = error.response.status_code
    says = f" ({' '.join(error.server_message.split())})" if error.server_message else ""
    match status:
        case 401:
            return PublishError(
                f"{repo_id}: the Hub rejected the token{says}; log in with `hf auth login`, or set HF_TOKEN"
            )
        case 403:
            return PublishError(f"{repo_id}: the token has no write access{says}; use one that has")
        case 404:
            return PublishError(f"{repo_id}: not found{says}; check the name and the write access of the token")
        case 409 | 412:
            return PublishError(
                f"{repo_id}: someone else changed it in the meantime{says}; check their changes, then run again"
            )
        case status if status in BUSY:
            return MachineError(f"{repo_id}: the Hub is unavailable, status {status}{says}; {AGAIN}")
    return MachineError(f"{repo_id}: the Hub answers with status {status}{says}; {AGAIN}")
