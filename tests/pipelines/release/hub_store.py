"""What the loopback Hub stores: repositories with their commits, branches and tags, and the content of all files."""

import hashlib
from dataclasses import dataclass, field

DATE = "2026-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Blob:
    """A file of a commit. `lfs`: for a large file, the SHA-256 of its content according to the commit."""

    oid: str
    size: int
    lfs: str | None = None


@dataclass
class Repository:
    private: bool
    branches: dict[str, str]
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    history: list[tuple[str, str]] = field(default_factory=list)  # (branch, commit), in order of creation

    def find(self, revision: str) -> str | None:
        """Returns the commit of a branch, a tag or a commit id, or None."""
        return (
            self.branches.get(revision) or self.tags.get(revision) or (revision if revision in self.commits else None)
        )

    def add(self, branch: str, files: dict[str, Blob]) -> str:
        """Commits these files to the branch and returns the id of the commit."""
        parent = self.branches.get(branch, "")
        listing = "\n".join(f"{blob.oid} {name}" for name, blob in sorted(files.items()))
        commit = hashlib.sha1(f"{parent}\n{len(self.commits)}\n{listing}".encode()).hexdigest()
        self.commits[commit] = files
        self.branches[branch] = commit
        self.history.append((branch, commit))
        return commit


class Store:
    """All repositories and the content of their files."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.contents: dict[str, bytes] = {}  # git blobs by SHA-1
        self.large_files: dict[str, bytes] = {}  # by their expected SHA-256

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        """Returns name → content of the files of a revision."""
        repository = self.repositories[repo]
        blobs = repository.commits[repository.find(revision)]
        return {name: self.content(blob) for name, blob in blobs.items()}

    def content(self, blob: Blob) -> bytes:
        return self.large_files[blob.lfs] if blob.lfs else self.contents[blob.oid]

    def keep(self, content: bytes) -> Blob:
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        self.contents[oid] = content
        return Blob(oid, len(content))

    def create(self, repo: str, private: bool = False) -> Repository:
        """Creates a repository that contains only `.gitattributes`, as the Hub does."""
        repository = Repository(private, {})
        repository.add("main", {".gitattributes": self.keep(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")})
        self.repositories[repo] = repository
        return repository

    def put(self, repo: str, name: str, content: bytes) -> None:
        """Commits a file to main, as another user would."""
        repository = self.repositories[repo]
        repository.add("main", {**repository.commits[repository.branches["main"]], name: self.keep(content)})

    def is_intact(self, sha256: str) -> bool:
        return sha256 in self.large_files and hashlib.sha256(self.large_files[sha256]).hexdigest() == sha256


def tree_entries(files: dict[str, Blob], expand: bool) -> list[dict]:
    """Files and folders as the Hub lists them. `expand`: with the last commit of each."""
    entries = {}
    for name, blob in files.items():
        lfs = {"oid": blob.lfs, "size": blob.size, "pointerSize": 130} if blob.lfs else None
        entries[name] = {"type": "file", "path": name, "oid": blob.oid, "size": blob.size}
        entries[name] |= {"lfs": lfs} if lfs else {}
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            entries[folder] = {"type": "directory", "path": folder, "oid": "0" * 40, "size": 0}
    last = {"lastCommit": {"id": "0" * 40, "title": "a commit", "date": DATE}}
    return [entries[name] | (last if expand else {}) for name in sorted(entries)]


def ref_entries(kind: str, refs: dict[str, str]) -> list[dict]:
    """Branches (`kind` "heads") or tags ("tags") as the Hub lists them."""
    return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": commit} for name, commit in refs.items()]
