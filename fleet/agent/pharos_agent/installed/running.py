"""What programs that run tell of where their packages are."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass
class Running:
    """`programs`: files of running programs. The others: where Python's and Node's find their packages."""

    programs: list[Path] = field(default_factory=list)
    python_prefixes: list[Path] = field(default_factory=list)
    node_folders: list[Path] = field(default_factory=list)
    hidden: int = 0  # processes of others, which tell us nothing


def look() -> Running:
    """Look at every process once."""
    found = Running()
    for process in psutil.process_iter():
        try:
            program, words = process.exe(), process.cmdline()
        except psutil.AccessDenied:
            found.hidden += 1
            continue
        except (psutil.Error, OSError):
            continue
        if not program:  # a part of the kernel
            continue
        found.programs.append(Path(program))
        name = os.path.basename(program)
        if name.startswith(("python", "pypy")):
            found.python_prefixes += _prefixes(process, program, words)
        elif name.startswith("node"):
            found.node_folders += _folders(process, words)
    for name in ("programs", "python_prefixes", "node_folders"):
        setattr(found, name, list(dict.fromkeys(getattr(found, name))))
    return found


def _prefixes(process: psutil.Process, program: str, words: list[str]) -> list[Path]:
    """The environment of a Python program: that of the interpreter as it was called, and as it really is."""
    called = [Path(word) for word in (words[0] if words else "", program) if os.path.isabs(word)]
    return [path.parent.parent for path in called]


def _folders(process: psutil.Process, words: list[str]) -> list[Path]:
    """Where a program of Node.js looks for packages: from its script's folder upwards, and from its own."""
    try:
        here = process.cwd()
    except (psutil.Error, OSError):
        here = "/"
    scripts = [os.path.join(here, word) for word in words[1:] if not word.startswith("-")][:1]
    return [Path(path) for path in (here, *(os.path.dirname(script) for script in scripts)) if path != "/"]
