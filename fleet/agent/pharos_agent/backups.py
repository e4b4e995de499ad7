"""Backups that the server asks for: packed in a thread, told of as often as the server looks."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import ssl
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pharos_agent.packing import READ, Packer, PackingFailed

log = logging.getLogger(__name__)

REMEMBERED = 20
LONGEST_S = 24 * 3600.0
SEND_GAP_S = 60.0  # that the receiver may take for one piece

State = dict[str, Any]


class Backups:
    """The backups of this run of the agent, by their ids. One is made at a time, the newest are remembered."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._lock = threading.Lock()

    def start(self, body: dict[str, Any]) -> State:
        """Begin the backup that the frame describes, unless it was begun before; its state."""
        backup_id = str(body.get("backup_id"))[:64]
        with self._lock:
            if backup_id in self._states:
                return self._states[backup_id]
            if any(state["state"] == "running" for state in self._states.values()):
                return _failed("another backup is being made")
            while len(self._states) >= REMEMBERED:
                self._states.pop(next(iter(self._states)))
            self._states[backup_id] = {"state": "running"}
        threading.Thread(target=self._make, args=(backup_id, body), name="pharos-agent-backup", daemon=True).start()
        return {"state": "running"}

    def look(self, body: dict[str, Any]) -> State:
        """The state of a backup: running, done or failed."""
        with self._lock:
            known = self._states.get(str(body.get("backup_id"))[:64])
        return known or _failed("the agent was started anew meanwhile")

    def _make(self, backup_id: str, body: dict[str, Any]) -> None:
        try:
            state = make(body)
        except (PackingFailed, OSError, ValueError, http.client.HTTPException) as exc:
            state = _failed(str(exc) or type(exc).__name__)
        except Exception:
            log.exception("a backup broke")
            state = _failed("the agent has a fault; its log tells more")
        log.info("backup %s: %s", backup_id, state["state"])
        with self._lock:
            self._states[backup_id] = state


def make(body: dict[str, Any]) -> State:
    """Pack the folders and put the archive where it belongs. Blocks. Raises PackingFailed, OSError, HTTPException."""
    paths, to = body.get("paths"), body.get("to")
    name, compression = body.get("file_name"), body.get("compression")
    if not (isinstance(paths, list) and paths and all(isinstance(path, str) and os.path.isabs(path) for path in paths)):
        raise PackingFailed("the paths are not absolute")
    if not isinstance(name, str) or name != os.path.basename(name) or name in ("", ".", ".."):
        raise PackingFailed("the name of the file is not one")
    ends_at = time.monotonic() + min(LONGEST_S, float(body.get("timeout_s") or LONGEST_S))
    if not isinstance(to, str) or not to.startswith(("/", "http://", "https://")):
        raise PackingFailed("the place for the backup is neither a folder nor a URL")
    if to.startswith("/"):
        folder = Path(to)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _pack(folder / f".{name}.part", paths, compression, ends_at, keep_as=folder / name)
    with tempfile.TemporaryDirectory(prefix="pharos-backup-") as scratch:
        return _pack(Path(scratch) / name, paths, compression, ends_at, send_to=to)


def _pack(
    draft: Path, paths: list[str], compression: Any, ends_at: float, *, keep_as: Path | None = None, send_to: str = ""
) -> State:
    packer = Packer(draft, compression=str(compression), ends_at=ends_at)
    try:
        packer.pack(paths)
        size, digest = draft.stat().st_size, _sum(draft)
        if keep_as:
            _settle(draft, keep_as)
        else:
            _send(draft, send_to, size, ends_at)
    finally:
        if draft.exists():
            draft.unlink()
    missing = f"Files that could not be read whole: {packer.skipped}" if packer.skipped else ""
    place = str(keep_as) if keep_as else send_to.partition("?")[0]
    return {"state": "done", "place": place, "size_bytes": size, "sha256": digest, "message": missing}


def _settle(draft: Path, final: Path) -> None:
    """From here on the archive survives a power cut."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(final)


def _send(file: Path, url: str, size: int, ends_at: float) -> None:
    """PUT the file as it is. Redirects are not followed: the address may hold a signature for one place."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.netloc.rpartition("@")[2], timeout=SEND_GAP_S, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.netloc.rpartition("@")[2], timeout=SEND_GAP_S)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.putrequest("PUT", path)
        connection.putheader("Content-Type", "application/x-tar")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        with file.open("rb") as content:
            while piece := content.read(READ):
                if time.monotonic() > ends_at:
                    raise PackingFailed("it did not end in time")
                connection.send(piece)
        answer = connection.getresponse()
        answer.read(4096)
        if not 200 <= answer.status < 300:
            raise PackingFailed(f"{parts.hostname} answered with status {answer.status}")
    finally:
        connection.close()


def _sum(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ):
            total.update(piece)
    return total.hexdigest()


def _failed(message: str) -> State:
    return {"state": "failed", "message": message[:500]}
