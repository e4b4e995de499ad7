"""Runs the two modules that read and write documents."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from config.api.errors import Invalid, TooLarge, Unavailable
from security.bom.cyclonedx.reading import MOST_BYTES, MOST_COMPONENTS, Contents
from security.bom.cyclonedx.writing import Order

WITHIN_S, TURN_WITHIN_S = 60.0, 30.0
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME")
_ROOT = Path(__file__).resolve().parents[3]
_turn = threading.BoundedSemaphore(1)  # one at a time: each may take much memory


def read(document: bytes) -> Contents:
    """What a document holds. Raises TooLarge, Invalid when it is none of ours, Unavailable when others are read."""
    if len(document) > MOST_BYTES:
        raise TooLarge(f"A bill of material has at most {MOST_BYTES // 2**20} MiB")
    if document.count(b'"name"') > 3 * MOST_COMPONENTS:  # seen at once, without reading it
        raise Invalid(f"The document has more than {MOST_COMPONENTS:,} components")
    code, output = _run("security.bom.cyclonedx.reading", document)
    if code:
        raise Invalid("The document holds more than can be read in the time and memory for one")
    contents = msgspec.json.decode(output, type=Contents)
    if contents.fault:
        raise Invalid(contents.fault)
    return contents


def write(order: Order) -> bytes:
    """The document. Raises Unavailable when it could not be made in time."""
    code, output = _run("security.bom.cyclonedx.writing", msgspec.json.encode(order))
    if code:
        raise Unavailable("The bill of material could not be written. Try again later.")
    return output


def _run(module: str, given: bytes) -> tuple[int, bytes]:
    if not _turn.acquire(timeout=TURN_WITHIN_S):
        raise Unavailable("Other bills of material are being read. Try again in a minute.")
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", module],
            input=given,
            stdout=subprocess.PIPE,
            timeout=WITHIN_S,
            check=False,
            cwd=_ROOT,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
        )
    except subprocess.TimeoutExpired:
        return -1, b""
    finally:
        _turn.release()
    return done.returncode, done.stdout
