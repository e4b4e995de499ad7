"""Commands that the server sends: real programs, run by the agent."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pharos_agent import commands, running

from tests.agent.console import Console, until


@pytest.fixture
def connected(console: Console, start: Callable) -> Console:
    start(metrics_s=60.0, heartbeat_s=60.0)
    console.wait_for("heartbeat")
    return console


class Server:
    """What the platform does with commands: sends them, and confirms what it has got."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def send(self, command_id: str, *words: str, timeout_ms: int = 10_000, **more: Any) -> None:
        body = {"command_id": command_id, "command": words[0], "args": list(words[1:]), "timeout_ms": timeout_ms}
        self.say("command:dispatch", {**body, **more})

    def say(self, kind: str, body: dict) -> None:
        self.console.send({"protocol_version": "1.0", "type": kind, "payload": body})

    def result(self, command_id: str, timeout_s: float = 30) -> dict:
        """Its result, once it is there."""
        until(lambda: self._of("command:result", command_id), timeout_s)
        return self._of("command:result", command_id)[0]

    def printed(self, command_id: str, stream: str = "stdout") -> str:
        pieces = {piece["sequence"]: piece for piece in self._of("command:output", command_id)}
        return "".join(piece["data"] for _, piece in sorted(pieces.items()) if piece["stream"] == stream)

    def _of(self, kind: str, command_id: str) -> list[dict]:
        return [body for body in self.console.payloads(kind) if body["command_id"] == command_id]


@pytest.fixture
def server(connected: Console) -> Server:
    return Server(connected)


def test_a_program_runs_without_a_shell(server: Server, tmp_path: Path) -> None:
    server.send("c-1", "sh", "-c", 'echo "$1"; pwd; echo oh >&2; exit 3', "sh", "a b; $HOME", working_dir=str(tmp_path))
    result = server.result("c-1")
    assert (result["exit_code"], result["streamed"], result["timed_out"]) == (3, True, False)
    assert server.printed("c-1") == f"a b; $HOME\n{tmp_path}\n"
    assert server.printed("c-1", "stderr") == "oh\n"
    assert result["duration_ms"] < 10_000
    server.send("c-1", "true")  # the same id again is the same command
    server.send("c-2", "printf", "%s", "$HOME")
    assert server.result("c-2")["exit_code"] == 0
    assert server.printed("c-2") == "$HOME"
    assert len([body for body in server.console.payloads("command:result") if body["command_id"] == "c-1"]) == 1


def test_it_gets_a_clean_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHAROS_AGENT_KEY", "a-secret")
    monkeypatch.setenv("SOME_SETTING", "of the agent")
    server.send("c-1", "env", env=["GREETING=a=b", "LANG=C"])
    server.result("c-1")
    lines = server.printed("c-1").splitlines()
    assert {"GREETING=a=b", "LANG=C", f"PATH={os.environ['PATH']}"} <= set(lines)
    assert "a-secret" not in str(lines) and "SOME_SETTING" not in str(lines)


def test_what_cannot_start_says_why(server: Server, tmp_path: Path) -> None:
    for number, (words, more, code, said) in enumerate(
        [
            (("no-such-program",), {}, 127, "no-such-program: No such file or directory"),
            (("ls",), {"working_dir": "/no/such"}, 127, "there is no directory /no/such"),
            ((str(tmp_path),), {}, 126, "Permission denied"),
            (("ls",), {"args": "-l"}, 126, "the server's message is no command"),
            (("ls",), {"timeout_ms": "soon"}, 126, "the server's message is no command"),
        ]
    ):
        server.send(f"c-{number}", *words, **more)
        result = server.result(f"c-{number}")
        assert (result["exit_code"], result["streamed"]) == (code, False)
        assert said in result["stderr"]


def test_time_is_limited_and_cancelling_kills_the_whole_group(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "KILL_AFTER_S", 0.2)
    # The child of the child ignores the polite signal; both are gone in the end.
    script = f"(trap '' TERM; echo $BASHPID > {tmp_path}/child; while :; do sleep 0.05; done) & wait"
    server.send("c-1", "bash", "-c", script)
    until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip())
    child = int((tmp_path / "child").read_text())
    server.say("command:cancel", {"command_id": "c-1"})
    result = server.result("c-1")
    assert (result["cancelled"], result["timed_out"]) == (True, False)
    until(lambda: not Path(f"/proc/{child}").exists() or "\nState:\tZ" in Path(f"/proc/{child}/status").read_text())
    server.send("c-2", "sh", "-c", "echo before; sleep 60", timeout_ms=1000)
    result = server.result("c-2")
    assert (result["timed_out"], result["cancelled"]) == (True, False)
    assert server.printed("c-2") == "before\n"


def test_output_is_sent_while_it_runs_and_is_limited(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = "printf '\\303'; sleep 0.3; printf '\\244\\n\\377\\000'; sleep 60"
    server.send("c-1", "sh", "-c", halves)
    until(lambda: server.printed("c-1").startswith("ä"))  # a character that came in two halves
    assert server.printed("c-1") in ("ä\n", "ä\n\ufffd\x00")
    server.say("command:cancel", {"command_id": "c-1"})
    server.result("c-1")
    monkeypatch.setattr(running, "MOST_BYTES", 20_000)
    server.send("c-2", "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x")
    assert server.result("c-2")["truncated"] is True
    assert server.printed("c-2") == "x" * 20_000
    assert max(frame["bytes"] for frame in server.console.frames) < 64 * 1024


def test_a_lost_connection_loses_no_result(server: Server) -> None:
    server.send("c-1", "sh", "-c", "echo one; sleep 0.5; echo two")
    until(lambda: server.printed("c-1"))
    server.say("command:received", {"command_id": "c-1", "sequence": 0})
    server.console.hang_up(1011)
    until(lambda: len(server.console.upgrades) > 1)
    assert server.result("c-1")["exit_code"] == 0
    assert server.printed("c-1") == "one\ntwo\n"
    count = len([body for body in server.console.payloads("command:output") if body["sequence"] == 0])
    assert count == 1  # what was confirmed is not sent again


def test_only_so_many_run_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "AT_ONCE", 1)
    server.send("c-1", "sleep", "60")
    server.send("c-2", "true")
    result = server.result("c-2")
    assert (result["exit_code"], "run on this machine already" in result["stderr"]) == (126, True)
    server.say("command:cancel", {"command_id": "c-1"})
    server.result("c-1")


def test_commands_can_be_switched_off(console: Console, start: Callable) -> None:
    start(commands=False, metrics_s=60.0)
    console.wait_for("heartbeat")
    server = Server(console)
    server.send("c-1", "id")
    result = server.result("c-1")
    assert (result["exit_code"], "switched off on this machine" in result["stderr"]) == (126, True)


def test_nothing_is_left_behind_when_the_agent_stops(console: Console, start: Callable, tmp_path: Path) -> None:
    agent = start(metrics_s=60.0)
    console.wait_for("heartbeat")
    Server(console).send("c-1", "sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    began = time.monotonic()
    agent.stop(within_s=10)
    assert time.monotonic() - began < 10
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text())
