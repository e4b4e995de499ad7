"""The state directory: what the agent remembers from one start to the next."""

from __future__ import annotations

import os
import re
import secrets
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
NAME_LENGTH = 128


def default_dir(environ: Mapping[str, str]) -> Path:
    """Where state lives unless told otherwise: systemd's choice, root's place, else the user's."""
    if environ.get("STATE_DIRECTORY"):
        return Path(environ["STATE_DIRECTORY"].split(":")[0])
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home()) / "pharos-agent"
    if os.geteuid() == 0:
        return Path("/var/lib/pharos-agent")
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "pharos-agent"


def prepare(directory: Path) -> None:
    """Make `directory` and prove that files can be made in it. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        return


def default_instance_id(directory: Path | None, hostname: str | None = None) -> str:
    """The id used when none is configured: the one used before, else the host's name, which is then kept.

    A later change of the host's name does not make it another instance.
    """
    kept = directory / "instance-id" if directory else None
    if kept and kept.is_file():
        name = kept.read_text(encoding="utf-8", errors="replace").strip()
        if NAME.fullmatch(name) and len(name) <= NAME_LENGTH:
            return name
    name = clean_name(socket.gethostname() if hostname is None else hostname)
    if name in {"", "localhost"}:
        name = f"host-{secrets.token_hex(4)}"
    if kept:
        kept.write_text(name + "\n", encoding="utf-8")
    return name


def clean_name(text: str) -> str:
    """`text` as an instance name: lower-case letters, digits and inner hyphens; empty if nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:NAME_LENGTH].strip("-")


def lock(directory: Path) -> IO[str] | None:
    """Take the directory for this process: the open lock file, or None if another agent holds it.

    Where the system has no file locks (Windows) the file is returned unlocked.
    """
    handle = open(directory / "lock", "w", encoding="utf-8")  # noqa: SIM115 - held as long as the agent runs
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return handle
    except OSError:
        handle.close()
        return None
    return handle
