"""Which versions are affected, judged in this process or in one of its own.

The libraries that compare versions stay out of the processes that serve for months: those ask `python -m` this module,
which knows nothing of Django. One line of JSON in, one line out, until the input ends.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from security.vulnerabilities.ranges import holds

ANSWERS_WITHIN_S = 120.0
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME")
_ROOT = Path(__file__).resolve().parents[2]


class NoAnswer(Exception):
    """The process that compares versions did not answer."""


class Question(msgspec.Struct, array_like=True, frozen=True):
    """Is the version in one of these ranges (OSV)?"""

    version: str
    ecosystem: str
    ranges: list[Any]


Verdict = tuple[bool, str | None]  # whether it is, and what fixes it there
Judge = Callable[[Sequence[Question]], list[Verdict]]


def judge(questions: Sequence[Question]) -> list[Verdict]:
    """The answers in the same order, found in this process."""
    return [holds(one.version, one.ecosystem, one.ranges) for one in questions]


class Apart:
    """A judge in a process of its own, which starts with the first question and ends with the context."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        self._process.kill()  # it holds nothing that would be lost
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # it died before it read the question
                cast(BinaryIO, pipe).close()

    def __call__(self, questions: Sequence[Question]) -> list[Verdict]:
        """The answers in the same order. Raises NoAnswer when the process dies or is too slow."""
        if not questions:
            return []
        process = self._process = self._process or _start()
        orders, reports = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
        deadline = threading.Timer(ANSWERS_WITHIN_S, process.kill)
        deadline.start()
        try:
            orders.write(msgspec.json.encode(questions) + b"\n")
            orders.flush()
            line = reports.readline()
        except OSError:
            line = b""
        finally:
            deadline.cancel()
        if not line.endswith(b"\n"):
            raise NoAnswer("The process that compares versions ended without an answer. Try again later.")
        return msgspec.json.decode(line, type=list[Verdict])


def _start() -> subprocess.Popen:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}  # none of the passwords
    return subprocess.Popen(
        [sys.executable, "-m", "security.vulnerabilities.judging"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=kept | {"PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])},
        cwd=_ROOT,
        start_new_session=True,
    )


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin.buffer:
        answers = judge(msgspec.json.decode(line, type=list[Question]))
        sys.stdout.buffer.write(msgspec.json.encode(answers) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
