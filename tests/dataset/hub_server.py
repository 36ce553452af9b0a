"""A Hugging Face hub of our own on this machine: as much of its HTTP interface as datasets need."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from huggingface_hub import HfApi

SOON_S = 0.01  # between two looks whether the hub is to end


class Hub:
    """Repositories by name: files by path. `failing` answers requests whose path matches with a status instead.

    With `cut` a download of a file whose name matches ends in the middle, that many times.
    """

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.failing: dict[str, int] = {}
        self.cut: dict[str, int] = {}
        self.served: list[str] = []  # files that were downloaded, whole or in part
        self.commits: dict[str, dict[str, bytes]] = {}

    def add(self, repo_id: str, files: dict[str, bytes], *tags: str) -> str:
        """Put files into a repository, in the place of all that it had; the commit."""
        self.repos[repo_id] = dict(files)
        self.tags.setdefault(repo_id, {})
        commit = self.head(repo_id)
        for tag in tags:
            self.tags[repo_id][tag] = commit
        return commit

    def head(self, repo_id: str) -> str:
        digest = hashlib.sha1(repr(sorted(self.repos[repo_id].items())).encode()).hexdigest()
        self.commits[digest] = dict(self.repos[repo_id])
        return digest

    def commit_of(self, repo_id: str, revision: str) -> str | None:
        if revision == "main":
            return self.head(repo_id)
        return self.tags[repo_id].get(revision, revision if revision in self.commits else None)

    def take(self, repo_id: str, lines: bytes) -> None:
        """A commit as the client sends it."""
        for line in map(json.loads, lines.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                self.repos[repo_id][value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del self.repos[repo_id][value["path"]]


@contextmanager
def serving(hub: Hub) -> Iterator[HfApi]:
    """A client of the hub, which is reached by HTTP."""

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(SOON_S,), daemon=True)
    thread.start()
    try:
        yield HfApi(endpoint=f"http://127.0.0.1:{server.server_port}", token="hf_of_the_test")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Not in a test's output."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if self._fails(path):
            return
        if found := re.fullmatch(r"/datasets/(.+?)/resolve/([^/]+)/(.+)", path):
            self._file(*found.groups())
        elif found := re.fullmatch(
            r"/api/datasets/([^/]+/[^/]+)(?:/(refs|revision|tree)(?:/([^/]+))?)?", path
        ):
            self._described(*found.groups())
        else:
            self._json(404, {"error": "no such page"})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.split("?")[0]
        if self._fails(path):
            return
        if path == "/api/repos/create":
            asked = json.loads(body)
            repo_id = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            if repo_id in self.hub.repos:
                self._json(409, {"url": f"/datasets/{repo_id}", "error": "it exists"})
            else:
                self.hub.add(repo_id, {".gitattributes": b""})
                self._json(200, {"url": f"http://127.0.0.1/datasets/{repo_id}"})
            return
        if path == "/api/validate-yaml":
            self._json(200, {"errors": [], "warnings": []})
            return
        found = re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/(preupload|commit|tag)/([^/]+)", path)
        assert found, path
        repo_id, what, _ = found.groups()
        if what == "preupload":
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            self._json(200, {"files": files})
        elif what == "commit":
            self.hub.take(repo_id, body)
            commit = self.hub.head(repo_id)
            self._json(
                200,
                {"commitUrl": f"http://127.0.0.1/datasets/{repo_id}/commit/{commit}", "commitOid": commit},
            )
        else:
            self.hub.tags[repo_id][json.loads(body)["tag"]] = self.hub.head(repo_id)
            self._json(200, {})

    def do_DELETE(self) -> None:
        repo_id, tag = re.fullmatch(r"/api/datasets/(.+)/tag/([^/]+)", self.path).groups()  # type: ignore[union-attr]
        if self.hub.tags[repo_id].pop(tag, None) is None:
            self._json(404, {"error": "no tag"}, {"X-Error-Code": "RevisionNotFound"})
        else:
            self._json(200, {})

    def _fails(self, path: str) -> bool:
        status = next((status for part, status in self.hub.failing.items() if re.search(part, path)), None)
        if status is not None:
            self._json(status, {"error": "as the test asks"})
        return status is not None

    def _described(self, repo_id: str, what: str | None, revision: str | None) -> None:
        if repo_id not in self.hub.repos:
            self._json(404, {"error": "no dataset"}, {"X-Error-Code": "RepoNotFound"})
            return
        if what == "refs":
            tags = [
                {"name": name, "ref": f"refs/tags/{name}", "targetCommit": commit}
                for name, commit in self.hub.tags[repo_id].items()
            ]
            self._json(200, {"branches": [], "converts": [], "tags": tags})
            return
        commit = self.hub.commit_of(repo_id, revision or "main")
        if commit is None:
            self._json(404, {"error": "no revision"}, {"X-Error-Code": "RevisionNotFound"})
            return
        files = self.hub.commits[commit]
        if what == "tree":
            self._json(
                200,
                [
                    {"type": "file", "path": name, "oid": _blob(data), **_size(name, data)}
                    for name, data in files.items()
                ],
            )
        else:
            siblings = [
                {"rfilename": name, "blobId": _blob(data), **_size(name, data)}
                for name, data in files.items()
            ]
            self._json(
                200, {"id": repo_id, "sha": commit, "siblings": siblings, "private": False, "tags": []}
            )

    def _file(self, repo_id: str, revision: str, name: str) -> None:
        commit = self.hub.commit_of(repo_id, revision)
        data = self.hub.commits[str(commit)].get(name)
        if data is None:
            self._json(404, {"error": "no file"}, {"X-Error-Code": "EntryNotFound"})
            return
        etag = hashlib.sha256(data).hexdigest() if _is_large(name) else _blob(data)
        start = int((re.findall(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0])[0])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Repo-Commit", str(commit))
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.hub.served.append(name)
        for part, times in self.hub.cut.items():
            if re.search(part, name) and times:
                self.hub.cut[part] -= 1
                self.wfile.write(data[start : (start + len(data)) // 2])
                self.close_connection = True
                return
        self.wfile.write(data[start:])

    def _json(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _is_large(name: str) -> bool:
    return name.endswith((".parquet", ".mp4"))


def _size(name: str, data: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(data).hexdigest()
    lfs = (
        {"lfs": {"oid": sha256, "sha256": sha256, "size": len(data), "pointerSize": 130}}
        if _is_large(name)
        else {}
    )
    return {"size": len(data), **lfs}


def _blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
