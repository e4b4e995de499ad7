"""All of it together."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pharos_agent.installed import binaries, distribution, npm, python, running, ssh_keys, system
from pharos_agent.installed.reading import Found, OutOfTime

MOST_S = 90.0


def collect(
    root: Path = Path("/"), *, most_s: float = MOST_S, look: Callable[[], running.Running] = running.look
) -> dict[str, Any]:
    """`{packages, ssh_keys, notes}` of the machine whose files begin at `root`. Takes at most `most_s` seconds."""
    found = Found(until=time.monotonic() + most_s)
    keys = ssh_keys.authorised(root, found)
    name = distribution.ecosystem(root)
    seen = look()
    if seen.hidden:
        found.note(f"programs of other users could not be looked at: {seen.hidden}")
    steps: list[Callable[[], None]] = [
        lambda: system.dpkg(root, name, found),
        lambda: system.apk(root, name, found),
        lambda: system.rpm(root, name, found),
        lambda: python.pip(root, seen.python_prefixes, found),
        lambda: npm.npm(root, seen.node_folders, found),
        lambda: binaries.binaries(root, seen.programs, found),
    ]
    try:
        for step in steps:
            step()
    except OutOfTime:
        found.note(f"the time of {most_s:g} s was up: the list is not complete")
    if not name:
        found.note("no os-release file says which distribution this is")
    return {"packages": list(found.packages.values()), "ssh_keys": keys, "notes": found.notes}
