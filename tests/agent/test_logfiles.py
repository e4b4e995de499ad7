"""Log files that people may look at (contract: fleet console §7), and following one while somebody does."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pharos_agent import tailing
from pharos_agent.logfiles import MOST_ANSWER_BYTES, LogFiles, Refused

from tests.agent.console import Console, until
from tests.agent.test_messages import dispatch


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder of logs, with links that lead out of it and inside it."""
    folder = tmp_path / "logs"
    (folder / "web").mkdir(parents=True)
    (folder / "web" / "access.log").write_text("one\ntwo\r\nthrée")
    (folder / "old.log.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "secret").write_text("the secret")
    (folder / "out.log").symlink_to(tmp_path / "secret")
    (folder / "in.log").symlink_to(folder / "web" / "access.log")
    os.mkfifo(folder / "pipe.log")
    return folder


def wire(path: Path) -> str:
    return str(path).lstrip("/")


def test_sources_are_the_plain_files_of_the_allowed_folders(logs: Path) -> None:
    sources = LogFiles([str(logs)], []).sources()
    assert [one["path"] for one in sources] == [wire(logs / "in.log"), wire(logs / "web" / "access.log")]
    assert (sources[1]["name"], sources[1]["size_bytes"]) == ("access.log", 15)
    assert sources[1]["last_modified"].endswith("Z")


def test_followed_files_are_shown_without_a_folder_of_their_own(logs: Path) -> None:
    files = LogFiles([], [f"{logs}/web/*.log", f"{logs}/*.log"])
    assert {one["name"] for one in files.sources()} == {"access.log", "in.log"}
    assert LogFiles([], []).sources() == []


@pytest.mark.parametrize(
    ("lines", "offset", "shown"),
    [(500, 1, ["one", "two", "thrée"]), (1, 2, ["two"]), (5, 3, ["thrée"]), (5, 4, []), (-3, -9, ["one"])],
)
def test_lines_from_an_offset(logs: Path, lines: int, offset: int, shown: list) -> None:
    read = LogFiles([str(logs)], []).read(wire(logs / "web" / "access.log"), lines, offset)
    assert read == {"lines": shown, "total_lines": 3}


def test_what_may_not_be_seen(logs: Path, tmp_path: Path) -> None:
    files = LogFiles([str(logs)], [f"{logs}/*.log"])
    for path in ("out.log", "../secret", "pipe.log", "old.log.gz", "web", "nothing.log", "web/../../secret", "a\x00b"):
        with pytest.raises(Refused):
            files.read(wire(logs) + "/" + path, 10, 1)
    for path in (wire(tmp_path / "secret"), "etc/passwd", "", None, 7, "x" * 600):
        with pytest.raises(Refused):
            files.read(path, 10, 1)
    with pytest.raises(Refused):
        LogFiles([f"{logs}/web"], []).read(wire(tmp_path / "logs" / "web2" / "x.log"), 1, 1)


def test_long_lines_and_long_answers_are_cut(logs: Path) -> None:
    big = logs / "big.log"
    big.write_text("x" * 200_000 + "\n" + "€uro\n" * 5 + ("y" * 60_000 + "\n") * 30)
    read = LogFiles([str(logs)], []).read(wire(big), 5000, 1)
    assert len(read["lines"][0]) == 64 * 1024
    assert read["lines"][1] == "€uro"
    assert read["total_lines"] == 36
    assert sum(map(len, read["lines"])) < MOST_ANSWER_BYTES


def test_the_server_asks_and_is_answered(console: Console, start: Callable, logs: Path) -> None:
    start(log_dirs=[str(logs)])
    console.wait_for("terminal:sessions")
    console.send(dispatch("log:sources", {"request_id": "r1"}))
    (answer,) = console.wait_for("log:sources:result")
    assert (answer["request_id"], len(answer["sources"])) == ("r1", 2)
    path = wire(logs / "web" / "access.log")
    console.send(dispatch("log:file", {"request_id": "r2", "path": path, "lines": 1, "offset": 1}))
    console.send(dispatch("log:file", {"request_id": "r3", "path": "etc/passwd", "lines": 1, "offset": 1}))
    answers = {one["request_id"]: one for one in console.wait_for("log:file:result", 2)}
    assert (answers["r2"]["lines"], answers["r2"]["total_lines"]) == (["one"], 3)
    assert "may not be seen" in answers["r3"]["error"]


def test_a_file_is_followed_while_somebody_asks(
    console: Console, start: Callable, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailing.Tail.__init__, "__kwdefaults__", {"beside": tuple, "scan_s": 0.05, "grace_s": 10.0})
    start(log_dirs=[str(logs)])
    console.wait_for("terminal:sessions")
    path = logs / "web" / "access.log"

    def heard() -> str:
        return str(console.payloads("log:batch") + console.payloads("log:line"))

    def write(text: str) -> bool:
        with path.open("a") as file:
            file.write(f"{text}\n")
        return text in heard()

    console.send(dispatch("log:subscribe", {"paths": [wire(path), wire(logs / "out.log")]}))
    until(lambda: write("asked"))
    assert "two" not in heard()  # what stood there before is not sent
    console.send(dispatch("log:unsubscribe", {"paths": [wire(path)]}))
    console.send(dispatch("log:subscribe", {"paths": ["*"]}))
    console.send(dispatch("log:sources", {"request_id": "r"}))
    console.wait_for("log:sources:result")
    write("unheard")
    beats = len(console.payloads("heartbeat"))
    console.wait_for("heartbeat", beats + 5)
    assert "unheard" not in heard()
