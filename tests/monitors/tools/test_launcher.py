"""What the first program of a tool's process sees to, whatever the tool (contract: monitors §8.1)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitors.tools import process, workspace
from monitors.tools.base import Stopped

PYTHON = sys.executable


class Log:
    """A control that keeps what it is told; `poll` raises Stopped when `until` says so."""

    def __init__(self, until: Callable[[], bool] = lambda: False) -> None:
        self.until, self.text = until, ""

    def poll(self) -> None:
        if self.until():
            raise Stopped("cancelled")

    def log(self, data: bytes) -> None:
        self.text += data.decode(errors="replace")

    def note(self, text: str) -> None:
        self.text += f"[runner] {text}\n"


@pytest.fixture
def run_python() -> Any:
    """`run_python(code)` runs it as a tool with our own user; its exit and what it printed."""

    def run(code: str, *, timeout_s: float = 30, control: Any = None, **options: Any) -> tuple[process.Exit, str]:
        control = control or Log()
        with workspace.workspace(0) as where:
            where.uid = None
            ended = process.run(
                [PYTHON, "-c", code],
                where=where,
                environment=where.environment | {"OURS": str(where.folder)},
                timeout_s=timeout_s,
                memory_bytes=None,
                control=control,
                on_output=control.log,
                streams={},
                **options,
            )
        return ended, control.text

    return run


def test_the_data_folder_is_closed_even_to_our_own_user(run_python: Any, tmp_path: Path, settings: Any) -> None:
    data, beside = tmp_path / "data", tmp_path / "beside"
    for folder in (data, beside):
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "file").write_text("content")
    settings.DATA_DIR = data
    code = f"""
import os
def tried(what):
    try:
        what()
        return "done"
    except OSError as error:
        return error.strerror
for folder in ({str(data)!r}, {str(beside)!r}):
    print(tried(lambda: open(folder + "/deep/file").read()), tried(lambda: os.listdir(folder)),
          tried(lambda: open(folder + "/new", "w")), tried(lambda: os.remove(folder + "/deep/file")))
print(tried(lambda: open("inside", "w")), tried(lambda: os.rename("inside", os.environ["TMPDIR"] + "/moved")))
"""
    ended, text = run_python(code)
    assert ended.code == 0, text
    if "not hidden" in text:
        pytest.skip(text)
    hidden, free, own = text.splitlines()
    assert hidden == " ".join(["Permission denied"] * 4)
    assert (free, own) == ("done done done done", "done done")
    assert (data / "deep" / "file").exists() and not (data / "new").exists()


def test_the_worker_cannot_be_looked_into(run_python: Any) -> None:
    names = ("mem",) if os.geteuid() == 0 else ("environ", "mem", "maps")  # root reads the others by another right
    code = f"""
for name in {names}:
    try:
        open("/proc/{os.getpid()}/" + name, "rb").read(10)
        print(name, "read")
    except OSError as error:
        print(name, "closed")
"""
    _, text = run_python(code)
    if "not hidden" in text:
        pytest.skip(text)
    assert text.splitlines() == [f"{name} closed" for name in names]


CHILDREN = """
import os, subprocess, sys, time
detached = "import os, time; os.setsid() if os.getpid() != os.getsid(0) else 0; time.sleep(300)"
for _ in range(5):
    subprocess.Popen([sys.executable, "-c", detached], start_new_session=True)
if os.fork() == 0:  # a daemon, as by the book
    os.setsid()
    if os.fork() == 0:
        time.sleep(300)
    os._exit(0)
print("started", flush=True)
{end}
"""


@pytest.mark.parametrize(
    ("end", "code"), [("", 0), ("sys.exit(7)", 7), ("os.kill(os.getpid(), 9)", -9), ("os.abort()", -signal.SIGABRT)]
)
def test_all_children_end_with_the_tool(run_python: Any, end: str, code: int) -> None:
    ended, text = run_python(CHILDREN.format(end=end))
    assert (ended.code, ended.timed_out, text) == (code, False, "started\n")
    assert not _running()


def test_all_children_end_when_the_time_is_over(run_python: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.3)
    code = CHILDREN.format(end="import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)")
    ended, text = run_python(code, timeout_s=2)
    assert ended.timed_out and "asked to end" in text and "killed" in text
    assert not _running()


def test_all_children_end_when_the_run_is_cancelled(run_python: Any) -> None:
    control = Log()
    control.until = lambda: "started" in control.text
    with pytest.raises(Stopped):
        run_python(CHILDREN.format(end="time.sleep(300)"), control=control)
    assert not _running()


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM])
def test_a_tool_that_turns_on_its_launcher(run_python: Any, monkeypatch: Any, number: int) -> None:
    """It may when both are the same user; the run ends all the same."""
    monkeypatch.setattr(process, "GRACE_S", 0.5)
    code = f"import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.kill(os.getppid(), {number}); "
    began = time.monotonic()
    ended, text = run_python(code + "time.sleep(300)", timeout_s=1)
    assert ended.timed_out == (number != signal.SIGKILL), text
    assert time.monotonic() - began < 20
    assert not _running()


def test_a_tool_that_ends_when_asked_ends_by_itself(run_python: Any) -> None:
    code = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(5)); time.sleep(300)"
    ended, text = run_python(code, timeout_s=1)
    assert (ended.code, ended.timed_out) == (5, True)
    assert "killed" not in text


def test_limits(run_python: Any) -> None:
    code = """
import os, resource, signal
for name in ("CORE", "NOFILE", "FSIZE", "CPU"):
    print(name, *resource.getrlimit(getattr(resource, "RLIMIT_" + name)))
print("nice", os.nice(0), "input", os.read(0, 1), "groups", len(os.getgroups()) if os.getuid() else 0)
try:
    with open("big", "wb") as file:
        file.truncate(600 << 20)
except OSError as error:
    print(error.strerror)
"""
    ended, text = run_python(code)
    assert ended.code == 0, text
    assert text.splitlines()[:4] == ["CORE 0 0", "NOFILE 1024 1024", f"FSIZE {512 << 20} {512 << 20}", "CPU 60 60"]
    assert f"nice {5 + os.nice(0)} input b''" in text and "File too large" in text


def test_a_script_is_started_by_its_name(tmp_path: Path) -> None:
    program = tmp_path / "tool-1.0" / "bin" / "tool"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "I am $0"\n')
    program.chmod(0o755)
    control = Log()
    with workspace.workspace(0) as where:
        ended = process.run(
            [str(program)],
            where=where,
            environment=where.environment,
            timeout_s=10,
            memory_bytes=None,
            control=control,
            on_output=control.log,
            streams={},
            reads=[str(tmp_path / "tool-1.0")],
        )
    assert (ended.code, control.text) == (0, f"I am {program}\n")


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    control = Log()
    with workspace.workspace(0) as where:
        options: Any = {"environment": {}, "timeout_s": 5, "memory_bytes": None, "streams": {}}
        ended = process.run([str(tmp_path / "gone")], where=where, control=control, on_output=control.log, **options)
    assert ended.code == 126 and control.text.startswith("The tool cannot be started: ")


def test_a_folder_that_resists_is_removed() -> None:
    with workspace.workspace(0) as where:
        code = """
import os
os.mkdir("closed"); open("closed/file", "w").close(); os.chmod("closed", 0)
os.mkdir("deep"); os.chdir("deep")
for _ in range(3000):
    os.mkdir("d"); os.chdir("d")
"""
        subprocess.run([PYTHON, "-c", code], cwd=where.folder, check=True)
        folder = where.folder
    assert not folder.exists()


def _running() -> list[str]:
    """Processes that were started below a folder of runs of this very process."""
    mark, found = f"{workspace.PREFIX}{os.getpid()}-", []
    for _ in range(20):
        found = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit() and _below(entry, mark)]
        if not found:
            break
        time.sleep(0.05)
    return found


def _below(entry: Path, mark: str) -> bool:
    try:
        return mark in os.readlink(entry / "cwd") and "State:\tZ" not in (entry / "status").read_text()
    except OSError:
        return False
