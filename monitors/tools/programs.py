"""Outside programs: where they are, which version they have, and what is said when one is missing."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitors.tools.base import Job, Outcome
from monitors.tools.launcher.codes import CANNOT_START, NOT_STARTED
from monitors.tools.process import Exit
from monitors.tools.workspace import CannotDrop, Workspace, workspace

_VERSION = re.compile(r"\d+(?:\.\d+){1,3}")
_PATIENCE_S = 20
_versions: dict[tuple[str, int], str] = {}


def find(name: str) -> str | None:
    """The program: in PATH, else beside our Python, where a package that carries it puts it."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def folders_of(program: str) -> list[str]:
    """The folders of which a program in a `bin` folder consists: its own, and for a script its interpreter's."""
    files = [program, os.path.realpath(program)]
    with open(program, "rb") as file:
        opening = file.read(512).partition(b"\n")[0]
    if opening.startswith(b"#!"):
        interpreter = os.fsdecode(opening[2:].split()[0])
        files += [interpreter, os.path.realpath(interpreter)]
    return sorted({str(Path(file).parent.parent) for file in files} - {"/", "/usr", "/usr/local"})


def version_of(program: str, *arguments: str) -> str | None:
    """The first thing that looks like a version in what the program prints; None when it prints none.

    A version is remembered until the program changes; a busy machine that gave none in time is asked again.
    """
    key = (program, os.stat(program).st_mtime_ns)
    if key not in _versions and (found := _VERSION.search(_said(program, *arguments))):
        _versions[key] = found[0]
    return _versions.get(key)


def _said(program: str, *arguments: str) -> str:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        answer = subprocess.run([program, *arguments], timeout=_PATIENCE_S, env=environment, **options)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.decode(errors="replace")


def missing(name: str, install: str) -> Outcome:
    return Outcome(error=("tool_unavailable", f"The tool {name} is not installed on this agent. Install it: {install}"))


def in_workspace(job: Job, measure: Callable[[Workspace], Outcome]) -> Outcome:
    """Measure in a folder of its own; root that cannot become somebody else starts nothing."""
    try:
        with workspace(job.slot) as where:
            return measure(where)
    except CannotDrop as error:
        return Outcome(error=("tool_unavailable", str(error)))


def never_measured(ended: Exit, last_words: str) -> Outcome | None:
    """The outcome of a program that could not start or printed beyond all bounds; None for any other end."""
    if ended.output_limit:
        return Outcome(exit_code=ended.code, error=("output_limit", "The script printed more than 64 MiB."))
    if ended.code == CANNOT_START and last_words.startswith(NOT_STARTED):
        return Outcome(exit_code=ended.code, error=("tool_unavailable", last_words))
    return None
