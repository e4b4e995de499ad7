"""Which Linux distribution this is, by the name that OSV advisories use for it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from pharos_agent.installed.reading import text

PLACES = ("etc/os-release", "usr/lib/os-release")
MAJOR = {"rocky": "Rocky Linux", "almalinux": "AlmaLinux", "mageia": "Mageia"}
ROLLING = {"wolfi": "Wolfi", "chainguard": "Chainguard"}


def ecosystem(root: Path) -> str:
    """Such as `Debian:12`; of a distribution without OSV advisories its own name. Empty when nothing says it."""
    said = _os_release(root)
    name, version = said.get("ID", "").lower(), said.get("VERSION_ID", "")
    if name == "debian":
        return f"Debian:{version.partition('.')[0]}" if version else "Debian"
    if name == "ubuntu":
        return f"Ubuntu:{version}:LTS" if "LTS" in said.get("VERSION", "") else f"Ubuntu:{version}"
    if name == "alpine":
        release = re.match(r"\d+\.\d+", version)
        return f"Alpine:v{release.group()}" if release and "_alpha" not in version else "Alpine:edge"
    if name in MAJOR:
        return f"{MAJOR[name]}:{version.partition('.')[0]}"
    if name == "rhel":
        return f"Red Hat:enterprise_linux:{version.partition('.')[0]}"
    if name == "opensuse-leap":
        return f"openSUSE:Leap {version}"
    if name == "opensuse-tumbleweed":
        return "openSUSE:Tumbleweed"
    if name == "sles":
        return "SUSE:Linux Enterprise Server " + version.replace(".", " SP")
    if name == "openeuler":
        return "openEuler:" + said.get("VERSION", version).replace(" (", "-").rstrip(")")
    if name == "photon":
        return f"Photon OS:{version}"
    if name in ROLLING:
        return ROLLING[name]
    title = (said.get("NAME") or name).replace(":", " ")[:40]
    return f"{title}:{version[:20]}" if title and version else title


def _os_release(root: Path) -> dict[str, str]:
    for place in PLACES:
        try:
            lines = text(root / place, 64 * 1024).splitlines()
        except OSError:
            continue
        found = {}
        for line in lines:
            name, equals, value = line.partition("=")
            if equals and re.fullmatch(r"[A-Z_]+", name):
                try:
                    found[name] = " ".join(shlex.split(value))
                except ValueError:  # a quote that is not closed
                    found[name] = value.strip("\"'")
        return found
    return {}
