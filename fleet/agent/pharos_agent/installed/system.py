"""Packages of the distribution: dpkg, apk and rpm."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from pharos_agent.installed.reading import Found, fields, reason, records, text

MOST_BYTES = 64 * 1024 * 1024
RPM_TIMEOUT_S = 60.0
DPKG, DPKG_PARTS = "var/lib/dpkg/status", "var/lib/dpkg/status.d"  # the second: images without a shell
APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
RPM_DATABASES = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
SOURCE = re.compile(r"([^\s(]+)(?:\s+\(([^)]+)\))?")
RPM_FORMAT = r"%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{SOURCERPM}\t%{LICENSE}\n"


def dpkg(root: Path, ecosystem: str, found: Found) -> None:
    """Packages of Debian and its kin."""
    paths = [root / DPKG]
    if (parts := root / DPKG_PARTS).is_dir():
        paths += sorted(path for path in parts.iterdir() if not path.name.endswith(".md5sums"))
    for path in paths:
        if not path.exists():
            continue
        try:
            content = text(path, MOST_BYTES)
        except OSError as exc:
            found.note(f"dpkg: {path} cannot be read: {reason(exc)}")
            continue
        for record in records(content):
            _debian(fields(record), ecosystem, found, listed=path.parent.name == "status.d")


def _debian(said: dict[str, str], ecosystem: str, found: Found, *, listed: bool) -> None:
    if not listed and said.get("Status", "").split()[-1:] != ["installed"]:
        return  # removed, with its configuration left behind
    name, version = said.get("Package", ""), said.get("Version", "")
    source = SOURCE.match(said.get("Source", ""))
    built_from, built_version = source.groups() if source else (name, version)
    found.add(ecosystem, name, version, source=built_from, source_version=built_version or version)


def apk(root: Path, ecosystem: str, found: Found) -> None:
    """Packages of Alpine and its kin; `origin` is the source package, which has the same version."""
    for place in APK:
        if not (root / place).exists():
            continue
        try:
            content = text(root / place, MOST_BYTES)
        except OSError as exc:
            found.note(f"apk: {root / place} cannot be read: {reason(exc)}")
            return
        for record in records(content):
            said = fields(record)
            name, version = said.get("P", ""), said.get("V", "")
            found.add(ecosystem, name, version, license=said.get("L", ""), source=said.get("o", ""))
        return


def rpm(root: Path, ecosystem: str, found: Found, *, program: str | None = None) -> None:
    """Packages of Red Hat, SUSE and their kin, as rpm itself tells them."""
    if not any((root / place).is_dir() for place in RPM_DATABASES):
        return
    if (program := program or shutil.which("rpm")) is None:
        found.note("rpm: there is a database of packages, but no rpm to read it with")
        return
    command = [program, "-qa", "--root", str(root), "--qf", RPM_FORMAT]
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=RPM_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        found.note(f"rpm: did not end within {RPM_TIMEOUT_S:g} s")
        return
    except OSError as exc:
        found.note(f"rpm: cannot be started: {reason(exc)}")
        return
    if done.returncode:
        found.note("rpm: " + done.stderr.decode("utf-8", "replace")[-300:])
    for line in done.stdout[:MOST_BYTES].decode("utf-8", "replace").splitlines():
        name, _, rest = line.partition("\t")
        version, source, license = [*rest.split("\t"), "", "", ""][:3]
        if name == "gpg-pubkey":  # a key of the package manager, no software
            continue
        parts = source.rsplit("-", 2)
        epoch = version.partition(":")[0] + ":" if ":" in version else ""
        built = epoch + f"{parts[1]}-{parts[2].removesuffix('.src.rpm')}" if len(parts) == 3 else ""
        found.add(
            ecosystem, name, version, license=license, source=parts[0] if built else "", source_version=built or version
        )
