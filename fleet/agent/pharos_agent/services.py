"""Stopping and starting a service of this machine, as the server asks."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

TIMEOUT_S = 50.0
UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@\\-]{0,255}")
ACTIONS = ("stop", "start")


def control(unit: Any, action: Any) -> dict[str, Any]:
    """Stop or start a unit of systemd and wait for it: `{"ok": bool, "message": str}`. Blocks."""
    if not isinstance(unit, str) or not UNIT.fullmatch(unit) or action not in ACTIONS:
        return _failed("the unit or the action is not one that can be asked for")
    program = shutil.which("systemctl")
    if program is None:
        return _failed("there is no systemctl on this machine")
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            [program, "--no-ask-password", action, "--", unit],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _failed(f"systemctl did not end within {TIMEOUT_S:g} s")
    except OSError as exc:
        return _failed(f"systemctl cannot be started: {exc.strerror}")
    said = done.stderr.decode("utf-8", "replace").strip()[-500:]
    return {"ok": True, "message": ""} if done.returncode == 0 else _failed(said or f"code {done.returncode}")


def _failed(message: str) -> dict[str, Any]:
    return {"ok": False, "message": message}
