"""Python packages: what pip and its kin installed, not what the distribution packs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pharos_agent.installed.reading import Found, fields, one_line, reason, text

ECOSYSTEM = "PyPI"
METADATA_BYTES = 64 * 1024
# The distribution's own folders: packages in there belong to it (dpkg, apk and rpm list them, patched and under their
# own versions) unless an installer of Python says that it put them there.
SHARED = re.compile(r"/usr/lib(64)?/python3[^/]*/(site|dist)-packages")
INSTALLERS = {"pip", "uv", "poetry", "pdm", "pipx", "conda"}
PLACES = (
    "usr/lib/python3*/dist-packages", "usr/lib/python3*/site-packages", "usr/lib64/python3*/site-packages",
    "usr/local/lib/python3*/dist-packages", "usr/local/lib/python3*/site-packages",
    "root/.local/lib/python3*/site-packages", "home/*/.local/lib/python3*/site-packages",
    "opt/*/lib/python3*/site-packages", "opt/*/venv/lib/python3*/site-packages",
    "opt/*/.venv/lib/python3*/site-packages", "srv/*/venv/lib/python3*/site-packages",
    "srv/*/.venv/lib/python3*/site-packages",
)  # fmt: skip


def pip(root: Path, prefixes: Iterable[Path], found: Found) -> None:
    """Packages below the usual folders and below `prefixes`, the environments of programs that run."""
    folders = {folder: None for place in PLACES for folder in sorted(root.glob(place))}
    for prefix in prefixes:
        folders.update(dict.fromkeys(sorted(prefix.glob("lib*/python3*/*-packages"))))
    seen = set()
    for folder in folders:
        try:
            real = folder.resolve()
        except (OSError, RuntimeError):
            continue
        if real not in seen:
            seen.add(real)
            _folder(real, found, shared=_is_shared(real, root))


def _is_shared(folder: Path, root: Path) -> bool:
    return root in folder.parents and bool(SHARED.fullmatch("/" + str(folder.relative_to(root))))


def _folder(folder: Path, found: Found, *, shared: bool) -> None:
    try:
        entries = sorted(folder.iterdir())
    except OSError as exc:
        found.note(f"pip: {folder} cannot be read: {reason(exc)}")
        return
    for entry in entries:
        if entry.suffix not in (".dist-info", ".egg-info"):
            continue
        found.check_time()
        try:
            if shared and one_line(text(entry / "INSTALLER", 64)).lower() not in INSTALLERS:
                continue
            said = fields(text(_metadata(entry), METADATA_BYTES).splitlines())
        except OSError as exc:
            if not shared:
                found.note(f"pip: {entry} cannot be read: {reason(exc)}")
            continue
        license = said.get("License-Expression") or said.get("License") or ""
        found.add(ECOSYSTEM, said.get("Name", ""), said.get("Version", ""), license=_license(license))


def _metadata(entry: Path) -> Path:
    if entry.suffix == ".dist-info":
        return entry / "METADATA"
    return entry / "PKG-INFO" if entry.is_dir() else entry


def _license(text: str) -> str:
    """A name of a licence; some put its whole text there."""
    return "" if text.upper() == "UNKNOWN" or len(text) > 100 else text
