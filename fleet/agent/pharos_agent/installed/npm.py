"""Packages of Node.js: the global ones, and those of programs that run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from pharos_agent.installed.reading import Found, reason, text

ECOSYSTEM = "npm"
MANIFEST_BYTES = 256 * 1024
MOST_FOLDERS = 50_000
DEEPEST = 12  # node_modules in node_modules
PLACES = (
    "usr/lib/node_modules", "usr/local/lib/node_modules", "opt/*/lib/node_modules",
    "root/.nvm/versions/node/*/lib/node_modules", "home/*/.nvm/versions/node/*/lib/node_modules",
)  # fmt: skip


def npm(root: Path, folders: Iterable[Path], found: Found) -> None:
    """Packages below the global folders, and below the `node_modules` that `folders` or their parents hold."""
    starts = {place: None for pattern in PLACES for place in sorted(root.glob(pattern))}
    for folder in folders:
        for parent in [folder, *folder.parents][:6]:
            if (modules := parent / "node_modules").is_dir():
                starts[modules] = None
                break
    _walk(starts, found)


def _walk(starts: Iterable[Path], found: Found) -> None:
    waiting, seen = [(str(start), 0) for start in starts], set()
    while waiting:
        folder, depth = waiting.pop()
        found.check_time()
        if folder in seen:
            continue
        seen.add(folder)
        if len(seen) > MOST_FOLDERS:
            found.note(f"npm: only {MOST_FOLDERS} folders were looked at")
            return
        try:
            with os.scandir(folder) as listed:
                names = sorted(entry.name for entry in listed if entry.is_dir(follow_symlinks=False))
        except OSError as exc:
            found.note(f"npm: {folder} cannot be read: {reason(exc)}")
            continue
        for name in names:
            inside = os.path.join(folder, name)
            if name.startswith("@"):
                waiting.append((inside, depth))
            elif name == ".pnpm":
                packed = sorted(Path(inside).glob("*/node_modules"))
                waiting += [(str(path), depth + 1) for path in packed]
            elif not name.startswith("."):
                _package(Path(inside), found)
                if depth < DEEPEST and os.path.isdir(nested := os.path.join(inside, "node_modules")):
                    waiting.append((nested, depth + 1))


def _package(folder: Path, found: Found) -> None:
    try:
        said = json.loads(text(folder / "package.json", MANIFEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return  # a folder without a manifest is no package
    if not isinstance(said, dict):
        return
    license = said.get("license")
    if isinstance(license, dict):
        license = license.get("type")
    name, version = said.get("name"), said.get("version")
    if isinstance(name, str) and isinstance(version, str):
        found.add(ECOSYSTEM, name, version, license=license if isinstance(license, str) else "")
