"""A server on a Unix socket that answers as a Docker Engine does, for the calls that the driver makes."""

import contextlib
import io
import json
import socketserver
import tarfile
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Engine:
    """`containers` by name: `state`, `labels`, `volumes` (paths to files), `files` (of its own)."""

    def __init__(self, path: Path) -> None:
        self.containers: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        handler = type("Handler", (_Handler,), {"engine": self})
        self._server = socketserver.ThreadingUnixStreamServer(str(path), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def run(self, name: str, **fields: Any) -> dict[str, Any]:
        self.containers[name] = {"state": "running", "labels": {}, "volumes": {}, "files": {}} | fields
        return self.containers[name]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    engine: Engine
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: Any) -> None:
        return

    def _handle(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        assert url.path.startswith("/v1.40/containers/")
        name, _, verb = url.path.removeprefix("/v1.40/containers/").partition("/")
        self.engine.calls.append(f"{self.command} {url.path.removeprefix('/v1.40')}")
        if name == "json":
            return self._list(json.loads(query["filters"]))
        found = self.engine.containers.get(name)
        if found is None:
            return self._json(404, {"message": f"No such container: {name}"})
        if (self.command, verb) == ("DELETE", ""):
            assert query == {"force": "true", "v": "true"}
            del self.engine.containers[name]
            return self._send(204, b"")
        return {
            ("POST", "stop"): self._stop,
            ("POST", "start"): self._start,
            ("GET", "json"): self._inspect,
            ("GET", "archive"): self._archive,
            ("GET", "export"): self._export,
        }[self.command, verb](found, query)

    do_GET = do_POST = do_DELETE = _handle

    def _list(self, filters: dict[str, list[str]]) -> None:
        wanted = dict(label.split("=", 1) for label in filters["label"])
        found = [
            {"Id": name} for name, one in self.engine.containers.items() if wanted.items() <= one["labels"].items()
        ]
        self._json(200, found)

    def _stop(self, found: dict, query: dict) -> None:
        before, found["state"] = found["state"], "exited"
        self._send(304 if before == "exited" else 204, b"")

    def _start(self, found: dict, query: dict) -> None:
        before, found["state"] = found["state"], "running"
        self._send(304 if before == "running" else 204, b"")

    def _inspect(self, found: dict, query: dict) -> None:
        mounts = [{"Type": "volume", "Destination": path} for path in found["volumes"]]
        self._json(200, {"Mounts": [*mounts, {"Type": "bind", "Destination": "/etc/hosts"}]})

    def _archive(self, found: dict, query: dict) -> None:
        path = query["path"]
        base = Path(path).name
        files = {f"{base}/{name}": data for name, data in found["volumes"][path].items()}
        self._send(200, packed(files, folders=[base]))

    def _export(self, found: dict, query: dict) -> None:
        self._send(200, packed(found["files"]))

    def _json(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # who has had enough goes
            self.wfile.write(body)


def packed(files: dict[str, bytes], folders: list[str] | None = None) -> bytes:
    """A tar of these files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in folders or []:
            member = tarfile.TarInfo(folder)
            member.type = tarfile.DIRTYPE
            tar.addfile(member)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()
