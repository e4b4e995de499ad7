"""Copies of closed captures as files, when a folder is set for them (contract: traffic replay §5 `close`, §9)."""

import os
import re
import tempfile
from datetime import datetime
from pathlib import Path, PurePosixPath

from django.conf import settings

from loadtest.replay.captures.documents import as_case
from loadtest.replay.captures.models import Capture

MOST_NAME = 200
_OTHERS = re.compile(r"[^A-Za-z0-9._-]+")


def file_name(capture: Capture, *, wish: str = "", now: datetime) -> str:
    """A plain name that contains the capture's id and ends in `.json`. Of a wish its base name is used at most."""
    base = PurePosixPath(wish.replace("\\", "/")).name
    template: str = settings.REPLAY_CAPTURE_NAME
    made = base or template.format(sessionId=capture.pk, ts=now.strftime("%Y%m%dT%H%M%SZ"), mode=capture.mode)
    name = _OTHERS.sub("-", made).lstrip(".-")[:MOST_NAME].removesuffix(".json").removesuffix(".case")
    if capture.pk not in name:
        name = f"{name}.{capture.pk}" if name else capture.pk
    return f"{name}.case.json"


def write(capture: Capture, folder: Path, name: str) -> None:
    """Write the case into the folder, whole or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".capture-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(as_case(capture))
        os.replace(draft, folder / name)
    except BaseException:
        os.unlink(draft)
        raise


def remove(capture: Capture) -> None:
    """Delete the copy, if there is one."""
    if capture.file_name and settings.REPLAY_CAPTURE_DIR:
        (settings.REPLAY_CAPTURE_DIR / capture.file_name).unlink(missing_ok=True)
