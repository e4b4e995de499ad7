"""Machines for the drivers, and a folder for what they bring back."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleet.providers.base import Archive, Machine, Order


@pytest.fixture
def machine() -> Callable[..., Machine]:
    def made(**fields: Any) -> Machine:
        return Machine(**{"instance_id": "i1", "name": "web-1", "provider": "docker"} | fields)

    return made


@pytest.fixture(autouse=True)
def backups(settings: Any, tmp_path: Path) -> Path:
    """Where this server keeps backups."""
    settings.BACKUP_DIR = tmp_path / "backups"
    return settings.BACKUP_DIR


def order(compression: str = "gzip", *, label: str = "before", timeout_s: float = 20) -> Order:
    return Order("12345678-0000", label, compression, timeout_s)


def content(archive: Archive) -> dict[str, bytes]:
    """The regular files of an archive that this server keeps."""
    with tarfile.open(archive.place) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar if one.isreg()}
