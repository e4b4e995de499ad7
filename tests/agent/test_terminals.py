"""Shells on a pseudo-terminal, for the server's sessions (contract: fleet console §31.5, §32.5)."""

import base64
import os
import re
import sys
from collections.abc import Callable, Iterator

import pytest
from pharos_agent import terminals

from tests.agent.console import Console, until
from tests.agent.test_messages import dispatch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")


class Terminal:
    """One session, as the server sees it."""

    def __init__(self, console: Console, session_id: str) -> None:
        self.console, self.id = console, session_id

    def say(self, kind: str, **payload: object) -> None:
        self.console.send(dispatch(kind, {"session_id": self.id, **payload}, session_id=self.id))

    def type(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        self.say("terminal:input", data=base64.b64encode(data).decode())

    @property
    def frames(self) -> list[dict]:
        outputs = self.console.payloads("terminal:output")
        return [one for one in outputs if one["session_id"] == self.id]

    @property
    def screen(self) -> bytes:
        return b"".join(base64.b64decode(frame["data"]) for frame in self.frames)

    def wait_for(self, pattern: bytes) -> re.Match:
        until(lambda: re.search(pattern, self.screen))
        return re.search(pattern, self.screen)

    def closed(self) -> dict:
        until(lambda: [one for one in self.console.payloads("terminal:closed") if one["session_id"] == self.id])
        return next(one for one in self.console.payloads("terminal:closed") if one["session_id"] == self.id)


@pytest.fixture
def opened(console: Console, start: Callable) -> Iterator[Callable[..., Terminal]]:
    """`opened()` is a shell of a running agent; changes of its configuration count for the first one."""

    def open_one(name: str = "t-1", **changes: object) -> Terminal:
        if not console.upgrades:
            start(**{"shell": "/bin/sh", **changes})
            console.wait_for("terminal:sessions")
        terminal = Terminal(console, name)
        terminal.say("terminal:create", cols=101, rows=33)
        return terminal

    return open_one


def test_a_shell_has_a_terminal_of_its_own(opened: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHAROS_AGENT_KEY", "the-key-of-the-agent")
    terminal = opened()
    terminal.type("stty size; tty; env | grep -c PHAROS; ps -o sid=,pid= -p $$\n")
    terminal.wait_for(rb"33 101\r\n/dev/pts/\d+\r\n0\r\n *(\d+) +\1\r\n")
    terminal.say("terminal:resize", cols=120, rows=40)
    terminal.type("stty size\n")
    terminal.wait_for(rb"40 120\r\n")
    terminal.type("exit 7\n")
    assert terminal.closed()["exit_code"] == 7
    assert terminal.console.frames[-1].get("session_id") in (None, terminal.id)


def test_ctrl_c_reaches_the_program_in_front(opened: Callable) -> None:
    terminal = opened()
    # It says so itself: once it speaks, the shell has put it in front.
    terminal.type("sh -c \"echo be''gin; exec sleep 600\"; echo co''de $?\n")
    terminal.wait_for(rb"begin\r\n")
    terminal.type(b"\x03")
    terminal.wait_for(rb"\^C")
    terminal.type("echo st''ill\n")
    terminal.wait_for(rb"still\r\n")


def test_output_comes_in_frames_that_fit_and_no_faster_than_it_can_be_read(opened: Callable) -> None:
    terminal = opened()
    terminal.type("head -c 300000 /dev/zero | tr '\\0' x; echo; echo do''ne\n")
    terminal.wait_for(rb"done\r\n")
    assert terminal.screen.count(b"x") >= 300000
    frames = [one for one in terminal.console.frames if one["type"] == "terminal:output"]
    assert max(frame["bytes"] for frame in frames) <= 48 * 1024
    assert len(frames) < 100


def test_a_closed_session_takes_its_programs_along(opened: Callable) -> None:
    terminal = opened()
    terminal.type("echo pid''=$$; trap '' HUP; sleep 600\n")
    pid = int(terminal.wait_for(rb"pid=(\d+)")[1])
    terminal.say("terminal:close")
    assert terminal.closed()["exit_code"] == -9
    assert not os.path.exists(f"/proc/{pid}")


def test_no_shell_outlives_the_agent(console: Console, start: Callable) -> None:
    agent = start(shell="/bin/sh")  # noqa: S604 - the name of a setting
    console.wait_for("terminal:sessions")
    terminal = Terminal(console, "t-1")
    terminal.say("terminal:create", cols=80, rows=24)
    terminal.type("echo pid''=$$; trap '' HUP TERM; sleep 600\n")
    pid = int(terminal.wait_for(rb"pid=(\d+)")[1])
    agent.stop()
    until(lambda: not os.path.exists(f"/proc/{pid}"))


def test_a_shell_lives_through_a_cut_and_its_output_waits(opened: Callable) -> None:
    terminal = opened()
    console = terminal.console
    terminal.type("echo rea''dy\n")
    terminal.wait_for(rb"ready\r\n")
    console.hang_up(1012)
    console.wait_for("terminal:sessions", 2)
    assert console.payloads("terminal:sessions")[-1]["session_ids"] == ["t-1"]
    terminal.type("echo go''es on\n")
    terminal.wait_for(rb"goes on\r\n")


def test_shells_end_when_the_server_stays_away(opened: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "GRACE_S", 0.1)
    terminal = opened()
    terminal.type("echo pid''=$$\n")
    pid = int(terminal.wait_for(rb"pid=(\d+)")[1])
    terminal.console.stop()
    until(lambda: not os.path.exists(f"/proc/{pid}"))
    terminal.console.start()


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"terminal": False}, "switched off"), ({"shell": "/no/such/shell"}, "no shell at /no/such/shell")],
)
def test_what_cannot_be_opened_says_why(opened: Callable, changes: dict, words: str) -> None:
    assert words in opened(**changes).closed()["reason"]


def test_no_more_shells_than_allowed(opened: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "MOST_SHELLS", 1)
    first = opened()
    first.type("echo rea''dy\n")
    first.wait_for(rb"ready")
    assert "1 terminals are open" in opened("t-2").closed()["reason"]


def test_nonsense_about_terminals_harms_nobody(opened: Callable) -> None:
    terminal = opened()
    terminal.say("terminal:create", cols="wide", rows=None)
    terminal.say("terminal:resize", cols=-5, rows=10**9)
    terminal.say("terminal:input", data="not base64!")
    terminal.say("terminal:input", data=["x"])
    Terminal(terminal.console, "unknown").say("terminal:close")
    terminal.type("stty size\n")
    terminal.wait_for(rb"500 2\r\n")
