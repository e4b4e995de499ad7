"""What an agent does with its machine when the server asks: services and backups."""

import hashlib
import os
import shutil
import socket
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pharos_agent import packing
from pharos_agent.backups import Backups, make

from tests.agent.console import Console, until
from tests.support.local_server import LocalServer


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with what folders hold."""
    folder = tmp_path / "source"
    (folder / "below").mkdir(parents=True)
    (folder / "a.txt").write_text("one\n")
    (folder / "below" / "b.bin").write_bytes(b"\x00" * 300_000)
    (folder / "link").symlink_to("a.txt")
    os.mkfifo(folder / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.close()
    return folder


def asked(source: Path, to: str, **more: Any) -> dict[str, Any]:
    body = {"backup_id": "b-1", "paths": [str(source)], "to": to, "file_name": "w.tar.gz", "compression": "gzip"}
    return {**body, "timeout_s": 20, **more}


def finished(backups: Backups, body: dict[str, Any]) -> dict[str, Any]:
    backups.start(body)
    until(lambda: backups.look(body)["state"] != "running")
    return backups.look(body)


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return sorted(tar.getnames())


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_a_folder_is_packed(source: Path, tmp_path: Path, compression: str) -> None:
    if compression == "zstd" and not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    state = finished(Backups(), asked(source, str(tmp_path / "out"), compression=compression))
    archive = tmp_path / "out" / "w.tar.gz"
    assert state == {
        "state": "done",
        "place": str(archive),
        "size_bytes": archive.stat().st_size,
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "message": "",
    }
    assert archive.stat().st_mode & 0o777 == 0o600
    if compression == "zstd":
        assert archive.read_bytes()[:4] == bytes.fromhex("28b52ffd")
        return
    inside = str(source).lstrip("/")
    assert names(archive) == sorted(
        [inside, *(f"{inside}/{name}" for name in ("a.txt", "below", "below/b.bin", "link", "pipe"))]
    )
    with tarfile.open(archive) as tar:
        assert tar.extractfile(f"{inside}/a.txt").read() == b"one\n"
        assert tar.getmember(f"{inside}/link").linkname == "a.txt"


def test_the_archive_does_not_hold_itself(source: Path) -> None:
    make(asked(source, str(source / "backups")))
    assert not [name for name in names(source / "backups" / "w.tar.gz") if "w.tar" in name]
    assert [path.name for path in (source / "backups").iterdir()] == ["w.tar.gz"]


def test_files_that_change_while_they_are_read_leave_a_sound_archive(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = packing._Exactly.read

    def shrinking(self: Any, size: int = -1) -> bytes:
        if self._left == 300_000:
            (source / "below" / "b.bin").write_bytes(b"")
        return read(self, size)

    monkeypatch.setattr(packing._Exactly, "read", shrinking)
    (source / "below" / "c.txt").write_text("after")
    state = make(asked(source, str(tmp_path / "out")))
    assert state["message"] == "Files that could not be read whole: 1"
    with tarfile.open(tmp_path / "out" / "w.tar.gz") as tar:
        assert tar.getmember(f"{str(source)[1:]}/below/b.bin").size == 300_000
        assert tar.extractfile(f"{str(source)[1:]}/below/c.txt").read() == b"after"


def test_a_backup_is_sent_to_an_address(source: Path, local_server: LocalServer) -> None:
    state = make(asked(source, f"{local_server.url}/bucket/w?signature=s"))
    (sent,) = local_server.requests
    assert (sent.method, sent.path) == ("PUT", "/bucket/w?signature=s")
    assert state["place"] == f"{local_server.url}/bucket/w"
    assert hashlib.sha256(sent.body).hexdigest() == state["sha256"]
    local_server.answer(status=403)
    assert "answered with status 403" in finished(Backups(), asked(source, f"{local_server.url}/x"))["message"]
    local_server.redirect("/y", f"{local_server.url}/z")
    assert "status 302" in finished(Backups(), asked(source, f"{local_server.url}/y"))["message"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"paths": ["relative"]}, "not absolute"),
        ({"paths": []}, "not absolute"),
        ({"paths": ["/nothing/here"]}, "/nothing/here does not exist"),
        ({"file_name": "../x"}, "name of the file"),
        ({"to": "ftp://x/"}, "neither a folder nor a URL"),
        ({"to": "/proc/nothing"}, "No such file"),
        ({"to": "http://127.0.0.1:1/x"}, "refused"),
        ({"compression": "rar"}, "not known"),
        ({"timeout_s": 0.000001}, "did not end in time"),
    ],
)
def test_what_cannot_be_made_says_why_and_leaves_nothing(
    source: Path, tmp_path: Path, change: dict, message: str
) -> None:
    state = finished(Backups(), asked(source, str(tmp_path / "out")) | change)
    assert (state["state"], message in state["message"]) == ("failed", True), state
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_one_backup_at_a_time_and_only_the_newest_are_remembered(source: Path, tmp_path: Path) -> None:
    backups = Backups()
    for number in range(25):
        finished(backups, asked(source / "a.txt", str(tmp_path / "out"), backup_id=str(number)))
    assert "started anew" in backups.look({"backup_id": "0"})["message"]
    assert backups.look({"backup_id": "24"})["state"] == "done"
    backups._states["slow"] = {"state": "running"}
    assert backups.start(asked(source, str(tmp_path), backup_id="other"))["message"] == "another backup is being made"
    assert backups.start({"backup_id": "slow"}) == {"state": "running"}


def test_the_server_asks_over_the_connection(
    console: Console, start: Callable, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service manager that notes its calls and fails for one unit."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$4" != bad ] || {{ echo "Unit bad not found." >&2; exit 5; }}\n'
    )
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    start()
    console.wait_for("heartbeat")

    def ask(kind: str, answer: str, **payload: Any) -> dict[str, Any]:
        request = f"r-{time.monotonic_ns()}"
        console.send({"protocol_version": "1.0", "type": kind, "payload": {**payload, "request_id": request}})
        until(lambda: any(one["request_id"] == request for one in console.payloads(answer)))
        return next(one for one in console.payloads(answer) if one["request_id"] == request)

    assert ask("service:control", "service:result", unit="app.service", action="stop")["ok"] is True
    refused = ask("service:control", "service:result", unit="bad", action="start")
    assert (refused["ok"], refused["message"]) == (False, "Unit bad not found.")
    for wrong in ({"unit": "-x", "action": "stop"}, {"unit": "x", "action": "mask"}, {"unit": 5, "action": "stop"}):
        assert ask("service:control", "service:result", **wrong)["ok"] is False
    assert (tmp_path / "calls").read_text().splitlines() == [
        "--no-ask-password stop -- app.service",
        "--no-ask-password start -- bad",
    ]
    ask("backup:start", "backup:state", **asked(source, str(tmp_path / "out")))
    until(lambda: ask("backup:look", "backup:state", backup_id="b-1")["state"] == "done")
    assert (tmp_path / "out" / "w.tar.gz").exists()
