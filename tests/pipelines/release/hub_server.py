"""A loopback server with the part of the Hub's HTTP API that publishing and loading a dataset need.

`python -m tests.pipelines.release.hub_server` prints the settings of the client and serves until Ctrl-C. All data is
kept in memory. Paths, fields and status codes follow what the client sends and reads (huggingface_hub 2.4) and, for
large files, the Git LFS batch API. Faults can be injected: an error status, a closed connection, a truncated file.
"""

import base64
import hashlib
import json
import re
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import yaml

from tests.pipelines.release.hub_store import DATE, Blob, Repository, Store, ref_entries, tree_entries

TOKEN = "hf_loopback_token_that_nobody_may_see"
REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"


@dataclass
class Fault:
    """A fault of the next `times` requests whose method and path match, after the first `skip` of them.

    `action`: a status code, "cut" (half of the body is read, then the connection is closed), "truncate" (half of the
    body is kept), "lose" (the request is carried out, but answered with 500) or "hang" (no answer until `Hub.released`
    is set).
    """

    method: str
    path: str
    action: int | str
    times: int = 1
    skip: int = 0
    headers: dict[str, str] = field(default_factory=dict)


class Hub(ThreadingHTTPServer):
    """Serves until `shutdown`. `page`: entries per page of a tree; `chunk_bytes`: larger files are sent in parts."""

    daemon_threads = True

    def __init__(self, port: int = 0, page: int = 1000, chunk_bytes: int | None = None):
        super().__init__(("127.0.0.1", port), Handler)
        self.page, self.chunk_bytes = page, chunk_bytes
        self.store = Store()
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []  # (method, path), in order of arrival
        self.lock = threading.RLock()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def storage_url(self) -> str:
        """The storage has another host name, as that of the Hub does."""
        return f"http://localhost:{self.server_port}"


class Answer(Exception):
    """Ends a request with this status."""

    def __init__(self, status: int, code: str = "", message: str = ""):
        self.status, self.code, self.message = status, code, message


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # header and body are sent at once, so that neither waits for a TCP acknowledgement
    server: Hub

    def log_message(self, format, *arguments):
        """Prints nothing: requests are in `Hub.requests`."""

    def handle_any(self):
        parts = urlsplit(self.path)
        self.query = dict(parse_qsl(parts.query))
        path = unquote(parts.path)
        self.server.requests.append((self.command, path))
        fault = self.fault(path)
        self.lost = bool(fault) and fault.action == "lose"
        length = int(self.headers.get("Content-Length") or 0)
        if fault and fault.action == "cut":
            self.rfile.read(length // 2)
            self.close_connection = True
            self.connection.close()
            return
        self.body = self.chunked() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(length)
        if fault and fault.action == "hang":
            self.server.released.wait()
        if fault and fault.action == "truncate":
            self.body = self.body[: len(self.body) // 2]
        try:
            if fault and isinstance(fault.action, int):
                raise Answer(fault.action)
            for method, pattern, action in ROUTES:
                match = re.fullmatch(pattern, path)
                if match and self.command in method:
                    with self.server.lock:
                        return action(self, **match.groupdict())
            raise Answer(404, "EntryNotFound", f"nothing at {path}")
        except Answer as answer:
            headers = {"X-Error-Code": answer.code} if answer.code else {}
            if answer.message:
                headers["X-Error-Message"] = answer.message
            if fault:
                headers |= fault.headers
            self.send(
                json.dumps({"error": answer.message or f"status {answer.status}"}).encode(), answer.status, headers
            )

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def chunked(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def fault(self, path: str) -> Fault | None:
        with self.server.lock:
            for fault in self.server.faults:
                if fault.times and fault.method == self.command and re.search(fault.path, path):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def send(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        if self.lost:
            body, status = b"", 500
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_json(self, content, **headers: str) -> None:
        self.send(json.dumps(content).encode(), headers={"Content-Type": "application/json", **headers})

    @property
    def has_token(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def require_token(self) -> None:
        if not self.has_token:
            raise Answer(401, message="Invalid credentials in Authorization header")

    def repository(self, repo: str) -> Repository:
        repository = self.server.store.repositories.get(repo)
        if repository is None or (repository.private and not self.has_token):
            raise Answer(404 if self.has_token else 401, "RepoNotFound", "Repository not found")
        return repository

    def revision(self, repo: str, revision: str) -> tuple[Repository, str]:
        repository = self.repository(repo)
        commit = repository.find(revision)
        if commit is None:
            raise Answer(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return repository, commit

    def whoami(self):
        self.require_token()
        self.send_json({"type": "user", "name": "loopback", "orgs": []})

    def create(self):
        self.require_token()
        request = json.loads(self.body)
        repo = f"{request['organization'] or 'loopback'}/{request['name']}"
        if repo in self.server.store.repositories:
            raise Answer(409, message="You already created this dataset repo")
        self.server.store.create(repo, request.get("visibility") == "private" or request.get("private") is True)
        self.send_json({"url": f"{self.server.url}/datasets/{repo}", "name": repo})

    def info(self, repo: str, revision: str | None = None):
        repository, commit = self.revision(repo, revision or "main")
        facts = {"_id": "0" * 24, "id": repo, "sha": commit, "private": repository.private, "gated": False}
        facts |= {"disabled": False, "downloads": 0, "likes": 0, "tags": [], "lastModified": DATE, "createdAt": DATE}
        self.send_json(facts | {"siblings": [{"rfilename": name} for name in sorted(repository.commits[commit])]})

    @property
    def expand(self) -> bool:
        return self.query.get("expand", "false").lower() == "true"

    def tree(self, repo: str, revision: str, path: str | None = None):
        repository, commit = self.revision(repo, revision)
        entries = tree_entries(repository.commits[commit], self.expand)
        inside = f"{path}/" if path else ""
        below = [entry for entry in entries if entry["path"].startswith(inside)]
        if path and not below:
            raise Answer(404, "EntryNotFound", f"{path} does not exist")
        if self.query.get("recursive", "false").lower() not in ("true", "1"):
            below = [entry for entry in below if "/" not in entry["path"].removeprefix(inside)]
        first = int(self.query.get("cursor", 0))
        more = {}
        if first + self.server.page < len(below):
            query = urlencode({**self.query, "cursor": first + self.server.page})
            more = {"Link": f'<{self.server.url}{urlsplit(self.path).path}?{query}>; rel="next"'}
        self.send_json(below[first : first + self.server.page], **more)

    def paths_info(self, repo: str, revision: str):
        repository, commit = self.revision(repo, revision)
        if "json" in self.headers.get("Content-Type", ""):
            paths = json.loads(self.body)["paths"]
        else:
            paths = parse_qs(self.body.decode())["paths"]
        entries = {entry["path"]: entry for entry in tree_entries(repository.commits[commit], self.expand)}
        self.send_json([entries[path] for path in paths if path in entries])

    def refs(self, repo: str):
        repository = self.repository(repo)
        refs = {"branches": ref_entries("heads", repository.branches), "tags": ref_entries("tags", repository.tags)}
        self.send_json(refs | {"converts": [], "pullRequests": []})

    def branch(self, repo: str, name: str):
        self.require_token()
        repository = self.repository(repo)
        if self.command == "DELETE":
            if repository.branches.pop(name, None) is None:
                raise Answer(404, "RevisionNotFound")
        elif name in repository.branches:
            raise Answer(409, message="Reference already exists")
        else:
            start = json.loads(self.body or b"{}").get("startingPoint", "main")
            repository.branches[name] = self.revision(repo, start)[1]
        self.send(b"")

    def tag(self, repo: str, name: str):
        self.require_token()
        repository = self.repository(repo)
        if self.command == "DELETE":
            if repository.tags.pop(name, None) is None:
                raise Answer(404, "RevisionNotFound")
        else:
            new_tag = json.loads(self.body)["tag"]
            if new_tag in repository.tags:
                raise Answer(409, message="Tag reference exists already")
            repository.tags[new_tag] = self.revision(repo, name)[1]
        self.send(b"")

    def preupload(self, repo: str, revision: str):
        self.require_token()
        repository, commit = self.revision(repo, revision)
        modes = []
        for file in json.loads(self.body)["files"]:
            large = file["path"].endswith(".parquet") or file["size"] > 10_000_000
            previous = repository.commits[commit].get(file["path"])
            modes.append({"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False})
            modes[-1]["oid"] = previous.oid if previous else None
        self.send_json({"files": modes})

    def lfs_batch(self, repo: str):
        self.require_token()
        self.repository(repo)
        objects = []
        for request in json.loads(self.body)["objects"]:
            oid, size = request["oid"], request["size"]
            upload: dict = {"href": f"{self.server.storage_url}/storage/{oid}"}
            chunk = self.server.chunk_bytes
            if chunk and size > chunk:
                numbers = range(1, -(-size // chunk) + 1)
                header = {str(number): f"{self.server.storage_url}/storage/{oid}/{number}" for number in numbers}
                upload = {"href": f"{self.server.url}/complete/{oid}", "header": {"chunk_size": str(chunk), **header}}
            actions = {"upload": upload, "verify": {"href": f"{self.server.url}/verify/{oid}"}}
            missing = {} if self.server.store.is_intact(oid) else {"actions": actions}
            objects.append({"oid": oid, "size": size} | missing)
        self.send_json({"transfer": "basic", "objects": objects})

    def store(self, oid: str, number: str = ""):
        self.server.store.large_files[f"{oid}/{number}" if number else oid] = self.body
        self.send(b"", headers={"ETag": f'"{number or oid}"'})

    def complete(self, oid: str):
        parts = json.loads(self.body)["parts"]
        numbers = [part["partNumber"] for part in parts]
        files = self.server.store.large_files
        files[oid] = b"".join(files.pop(f"{oid}/{number}") for number in numbers)
        self.send_json({})

    def verify(self, oid: str):
        self.send_json({})  # accepts anything: whether the content is intact shows only when it is read

    def validate_yaml(self):
        text = json.loads(self.body)["content"]
        try:
            yaml.safe_load(text.split("---\n")[1])
        except (yaml.YAMLError, IndexError) as error:
            return self.send(json.dumps({"errors": [{"message": str(error)}]}).encode(), 400)
        self.send_json({"errors": [], "warnings": []})

    def commit(self, repo: str, revision: str):
        self.require_token()
        repository, parent = self.revision(repo, revision)
        lines = [json.loads(line) for line in self.body.splitlines() if line]
        files = dict(repository.commits[parent])
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "header":
                    if value.get("parentCommit", parent) != parent:
                        raise Answer(412, message="A commit has happened since. Please refresh and try again.")
                case "file":
                    files[value["path"]] = self.server.store.keep(base64.b64decode(value["content"]))
                case "lfsFile":
                    pointer = f"oid sha256:{value['oid']}\nsize {value['size']}\n".encode()
                    files[value["path"]] = Blob(hashlib.sha1(pointer).hexdigest(), value["size"], value["oid"])
                case "deletedFile":
                    if files.pop(value["path"], None) is None:
                        raise Answer(404, "EntryNotFound", "A file with this name doesn't exist")
        oid = repository.add(revision, files)
        self.send_json(
            {"success": True, "commitOid": oid, "commitUrl": f"{self.server.url}/datasets/{repo}/commit/{oid}"}
        )

    def resolve(self, repo: str, revision: str, path: str):
        repository, commit = self.revision(repo, revision)
        blob = repository.commits[commit].get(path)
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if blob is None:
            return self.send(b"", 404, {**headers, "X-Error-Code": "EntryNotFound"})
        if blob.lfs:
            headers |= {"X-Linked-Size": str(blob.size), "X-Linked-ETag": f'"{blob.lfs}"', "ETag": f'"{blob.lfs}"'}
            return self.send(b"", 302, headers | {"Location": f"{self.server.storage_url}/storage/{blob.lfs}"})
        self.send_bytes(self.server.store.content(blob), headers | {"ETag": f'"{blob.oid}"'})

    def stored(self, oid: str):
        if oid not in self.server.store.large_files:
            raise Answer(404, "EntryNotFound")
        self.send_bytes(self.server.store.large_files[oid], {"ETag": f'"{oid}"', "Accept-Ranges": "bytes"})

    def send_bytes(self, content: bytes, headers: dict[str, str]) -> None:
        requested = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not requested:
            return self.send(content, headers=headers)
        first, last = int(requested[1]), min(int(requested[2] or len(content)), len(content) - 1)
        headers = {**headers, "Content-Range": f"bytes {first}-{last}/{len(content)}"}
        self.send(content[first : last + 1], 206, headers)


READ, WRITE = ("GET", "HEAD"), ("POST",)
ROUTES = [
    (READ, r"/api/whoami-v2", Handler.whoami),
    (WRITE, r"/api/repos/create", Handler.create),
    (WRITE, r"/api/validate-yaml", Handler.validate_yaml),
    (READ, rf"/api/datasets/{REPO}", Handler.info),
    (READ, rf"/api/datasets/{REPO}/revision/(?P<revision>.+)", Handler.info),
    (READ, rf"/api/datasets/{REPO}/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?", Handler.tree),
    (WRITE, rf"/api/datasets/{REPO}/paths-info/(?P<revision>.+)", Handler.paths_info),
    (READ, rf"/api/datasets/{REPO}/refs", Handler.refs),
    (("POST", "DELETE"), rf"/api/datasets/{REPO}/branch/(?P<name>.+)", Handler.branch),
    (("POST", "DELETE"), rf"/api/datasets/{REPO}/tag/(?P<name>.+)", Handler.tag),
    (WRITE, rf"/api/datasets/{REPO}/preupload/(?P<revision>.+)", Handler.preupload),
    (WRITE, rf"/api/datasets/{REPO}/commit/(?P<revision>.+)", Handler.commit),
    (WRITE, rf"/datasets/{REPO}\.git/info/lfs/objects/batch", Handler.lfs_batch),
    (("PUT",), r"/storage/(?P<oid>\w+)(?:/(?P<number>\d+))?", Handler.store),
    (READ, r"/storage/(?P<oid>\w+)", Handler.stored),
    (WRITE, r"/complete/(?P<oid>\w+)", Handler.complete),
    (WRITE, r"/verify/(?P<oid>\w+)", Handler.verify),
    (READ, rf"/datasets/{REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", Handler.resolve),
]


def main(port: int = 8765) -> None:
    """Prints the settings of the client and serves until Ctrl-C."""
    hub = Hub(port)
    print(f"export HF_ENDPOINT={hub.url} HF_HUB_DISABLE_XET=1 HF_TOKEN={TOKEN}", flush=True)
    try:
        hub.serve_forever()
    except KeyboardInterrupt:
        hub.server_close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
