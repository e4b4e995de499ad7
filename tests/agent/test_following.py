"""An agent that follows logs and sends them to the server."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pharos_agent.config import ConfigError, load
from pharos_agent.following import Choice

from tests.agent.conftest import KEY
from tests.agent.console import Console, until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "logs" / "app.log"
    found.parent.mkdir()
    found.write_text("old\n")
    return found


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def messages(console: Console) -> list[str]:
    return [line["message"] for batch in console.payloads("log:batch") for line in batch["lines"]]


def begin(console: Console, start: Callable, path: Path) -> None:
    """Start an agent that follows the folder, and wait until it does."""
    start(logs=(str(path.parent / "*.log"),))
    console.wait_for("heartbeat")

    def is_followed() -> bool:
        write(path, "ready")
        return "ready" in messages(console)

    until(is_followed)


def choose(console: Console, kind: str, *paths: str) -> None:
    console.send({"protocol_version": "1.0", "type": kind, "payload": {"paths": list(paths)}})


def test_lines_are_sent_as_they_come(console: Console, start: Callable, path: Path) -> None:
    begin(console, start, path)
    write(path, "ERROR broken", '{"msg":"slow","level":"warn","user":7}')
    until(lambda: "slow" in messages(console))
    batches = console.payloads("log:batch")
    assert {batch["instance_id"] for batch in batches} == {"web-1"}
    lines = {line["message"]: line for batch in batches for line in batch["lines"]}
    assert (lines["ERROR broken"]["level"], lines["ERROR broken"]["path"]) == ("ERROR", str(path))
    assert (lines["slow"]["level"], lines["slow"]["metadata"]) == ("warn", {"user": 7})
    assert "old" not in lines


def test_a_burst_arrives_whole_in_order_in_small_frames(console: Console, start: Callable, path: Path) -> None:
    begin(console, start, path)
    write(path, *(f"line {number:05} {'x' * 200}" for number in range(5000)))
    until(lambda: any(text.startswith("line 04999") for text in messages(console)), 30)
    numbers = [int(text[5:10]) for text in messages(console) if text.startswith("line")]
    assert numbers == list(range(5000))
    assert max(frame["bytes"] for frame in console.frames if frame["type"] == "log:batch") <= 48 * 1024


def test_what_comes_while_the_server_is_away_is_sent_later(console: Console, start: Callable, path: Path) -> None:
    begin(console, start, path)
    console.stop()
    write(path, "while away 1", "while away 2")
    console.start()
    until(lambda: "while away 2" in messages(console), 20)
    assert [text for text in messages(console) if "away" in text] == ["while away 1", "while away 2"]


def test_the_server_chooses_among_what_is_configured(
    console: Console, start: Callable, path: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.log"
    secret.write_text("")
    begin(console, start, path)
    choose(console, "log:unsubscribe", "*")
    choose(console, "log:subscribe", str(secret), f"{path.parent}/../secret.log", "/etc/*")
    other = path.with_name("other.log")
    choose(console, "log:subscribe", str(other))
    before = len(console.payloads("heartbeat"))
    console.wait_for("heartbeat", before + 5)
    write(secret, "secret")
    write(path, "unheard")
    write(other, "created")

    def is_heard() -> bool:
        write(other, "heard")
        return "heard" in messages(console)

    until(is_heard, 20)
    assert not {"secret", "unheard"} & set(messages(console))


def test_the_last_word_about_a_path_counts() -> None:
    choice = Choice()
    for paths, wanted in ((["*"], False), (["/a/*"], True), (["/a/b"], False), ("/a/b", True), ([7, None], True)):
        choice.say(paths, wanted=wanted)
    assert [choice(path) for path in ("/a/x", "/a/b", "/c", "journal")] == [True, False, False, False]
    choice.reset()
    assert choice("/c")


def test_the_journal_is_followed_through_its_program(
    console: Console, start: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    entry = '{"MESSAGE":"unit started","PRIORITY":"3","_SYSTEMD_UNIT":"x.service"}'
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\necho \"$@\" > {tmp_path}/said\n"
                       f"echo 'no json'\necho '{entry}'\nexec sleep 60\n")  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    agent = start(journal=True)
    until(lambda: "unit started" in messages(console))
    (line,) = console.payloads("log:batch")[0]["lines"]
    assert (line["level"], line["source"], line["metadata"]) == ("ERROR", "SYSTEM", {"unit": "x.service"})
    assert (tmp_path / "said").read_text().split() == ["--follow", "--lines=0", "--output=json", "--no-pager"]
    agent.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_machine_without_a_journal_says_so_and_goes_on(
    console: Console, start: Callable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    start(journal=True)
    console.wait_for("metrics", 2)
    assert "no journalctl on this machine" in caplog.text


def test_settings(tmp_path: Path) -> None:
    environ = {"PHAROS_URL": "https://x.example", "PHAROS_AGENT_KEY": KEY, "PHAROS_AGENT_STATE_DIR": str(tmp_path)}
    assert (load([], environ).logs, load([], environ).journal) == ((), False)
    found = load([], environ | {"PHAROS_AGENT_LOGS": "/var/log/*.log, /srv/app/**/x.log", "PHAROS_AGENT_JOURNAL": "1"})
    assert (found.logs, found.journal) == (("/var/log/*.log", "/srv/app/**/x.log"), True)
    with pytest.raises(ConfigError) as caught:
        load([], environ | {"PHAROS_AGENT_LOGS": "relative.log", "PHAROS_AGENT_JOURNAL": "maybe"})
    assert len(caught.value.faults) == 2
