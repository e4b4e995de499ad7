"""The QuickJS program as machine code: compiled once, kept in the data folder for the processes after this one."""

import hashlib
import logging
import os
import tempfile
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.conf import settings

log = logging.getLogger(__name__)


@cache
def _wasm() -> bytes:
    return (files("quickjs_rs") / "_guest.wasm").read_bytes()


def module(engine: Any) -> Any:
    """The program for an engine, which must interrupt by epochs. Compiling it takes a second of processor time."""
    import wasmtime

    kept = _place()
    if kept.exists():
        try:
            return wasmtime.Module.deserialize_file(engine, str(kept))
        except wasmtime.WasmtimeError as error:  # written on another kind of processor, or cut off
            log.info("the compiled script engine is made anew: %s", error)
    made = wasmtime.Module(engine, _wasm())
    try:
        _keep(kept, bytes(made.serialize()))
    except OSError as error:
        log.info("the compiled script engine cannot be kept: %s", error)
    return made


def _place() -> Path:
    digest = hashlib.sha256(version("wasmtime").encode() + _wasm()).hexdigest()[:16]
    return Path(settings.DATA_DIR) / f"quickjs-{digest}.cwasm"


def _keep(path: Path, data: bytes) -> None:
    """Whole or not at all, readable by the owner alone: whoever could write it could run code here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
