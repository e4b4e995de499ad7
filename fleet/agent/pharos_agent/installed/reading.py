"""Reading files that others wrote: regular ones only, bounded, and never longer than the whole may take."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_PACKAGES = 20_000  # the server takes no more
MOST_NOTES = 40
LONGEST = 256  # characters of a name or a version, as the server takes them


class OutOfTime(Exception):
    """The time for the whole is up; what was found so far is reported."""


@dataclass
class Found:
    """What has been found so far. `until`: when to stop, by the monotonic clock."""

    until: float
    packages: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    full: bool = False

    def add(
        self, ecosystem: str, name: str, version: str, *, license: str = "", source: str = "", source_version: str = ""
    ) -> None:
        """Keep a package; the source package only where it differs. Raises OutOfTime."""
        self.check_time()
        name, version = one_line(name), one_line(version)
        if not name or not version or len(name) > LONGEST or len(version) > LONGEST:
            return
        if len(self.packages) >= MOST_PACKAGES:
            if not self.full:
                self.full = True
                self.note(f"only the first {MOST_PACKAGES} packages are listed")
            return
        package = {"name": name, "version": version, "ecosystem": ecosystem}
        if license := one_line(license)[:LONGEST]:
            package["license"] = license
        if (source := one_line(source)[:LONGEST]) and source != name:
            package["source_name"] = source
        if (source_version := one_line(source_version)[:LONGEST]) and source_version != version:
            package["source_version"] = source_version
        self.packages.setdefault((ecosystem, name, version), package)

    def note(self, text: str) -> None:
        """Say what could not be listed, and why."""
        text = one_line(text)[:400]
        if text not in self.notes and len(self.notes) < MOST_NOTES:
            self.notes.append(text)

    def check_time(self) -> None:
        if time.monotonic() > self.until:
            raise OutOfTime


def read(path: Path, most_bytes: int) -> bytes:
    """The beginning of a regular file. Raises OSError, also for what is no regular file: a pipe could wait for ever."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "is no regular file")
        return file.read(most_bytes)


def text(path: Path, most_bytes: int) -> str:
    """As `read`, as text; what is no UTF-8 is replaced."""
    return read(path, most_bytes).decode("utf-8", "replace")


def fields(lines: list[str]) -> dict[str, str]:
    """The first value of each `Name: value` line before the first empty one; continued lines are left out."""
    found: dict[str, str] = {}
    for line in lines:
        if not line.strip():
            break
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            found.setdefault(name, value.strip())
    return found


def records(content: str) -> Iterator[list[str]]:
    """The groups of lines between empty lines."""
    group: list[str] = []
    for line in content.splitlines():
        if line:
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def one_line(value: Any) -> str:
    """Text on one line, of characters that can be shown; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    return "".join(char if char.isprintable() else " " for char in value[:4096]).strip()


def reason(exc: OSError) -> str:
    return (exc.strerror or str(exc)).lower()
