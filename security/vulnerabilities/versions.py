"""How versions compare in each ecosystem (contract: fleet console §22), with the library univers where it is right.

Nothing here raises anything but Unjudgeable, whatever the text of a version is.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from security.vulnerabilities.ecosystems import family

LONGEST = 256  # characters of a version


class Unjudgeable(Exception):
    """The text is no version of this ecosystem, so nothing is before or after it."""


def before(one: str, other: str, ecosystem: str) -> bool:
    """Whether `one` comes before `other`. Raises Unjudgeable."""
    first, second = parsed(one, ecosystem), parsed(other, ecosystem)
    try:
        return bool(first < second)
    except Exception as fault:  # whatever the library stumbles over, no order is known
        raise Unjudgeable(f"{one!r} and {other!r} do not compare in {ecosystem}") from fault


@lru_cache(maxsize=16_384)
def parsed(text: str, ecosystem: str) -> Any:
    """The version as something that compares by `<`. Raises Unjudgeable."""
    read = RULES.get(family(ecosystem))
    if read is None or not 0 < len(text) <= LONGEST:
        raise Unjudgeable(f"Versions of {ecosystem} have no known order")
    try:
        return read(text.strip())
    except Exception as fault:  # the library raises a dozen kinds
        raise Unjudgeable(f"{text!r} is no version of {ecosystem}") from fault


def _of(name: str) -> Callable[[str], Any]:
    """A rule of univers by its name; imported when it is first used, since it brings 10 MiB."""

    def read(text: str) -> Any:
        from univers import versions

        return getattr(versions, name)(text)

    return read


_SEMVER = re.compile(r"[vV=]?(\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.+-]*)?")


def _semver(text: str) -> Any:
    """What follows a plus says nothing of the order; the library counts it."""
    found = _SEMVER.fullmatch(text)
    if not found:
        raise ValueError(text)
    return _of("SemverVersion")(found[1])


def _apk(text: str) -> Any:
    """Alpine also has suffixes of version control, which come after the release as patches do."""
    return _of("AlpineLinuxVersion")(re.sub(r"_(?:cvs|svn|git|hg)(?=\d|_|-|$)", "_p", text.partition("~")[0]))


_COMPOSER = re.compile(
    r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?"
    r"(?:[._-]?(stable|beta|b|rc|alpha|a|patch|pl|p)[.-]?(\d{0,9}))?(?:\+\S*)?",
    re.IGNORECASE,
)
_STABILITIES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "rc": 2, "": 3, "stable": 3, "p": 4, "pl": 4, "patch": 4}


def _composer(text: str) -> Any:
    """Composer's order: four numbers, then how stable. The library takes these versions for semantic ones."""
    found = _COMPOSER.fullmatch(text)
    if not found:
        raise ValueError(text)
    *numbers, word, number = found.groups()
    return (*(int(part or 0) for part in numbers), _STABILITIES[(word or "").lower()], int(number or 0))


_debian, _rpm, _pep440 = _of("DebianVersion"), _of("RpmVersion"), _of("PypiVersion")

RULES: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("npm", "go", "crates.io", "hex", "pub", "swifturl", "julia"), _semver),
    **dict.fromkeys(("github actions", "bitnami", "kubernetes"), _semver),
    **dict.fromkeys(("debian", "ubuntu", "echo"), _debian),
    **dict.fromkeys(("alpine", "alpaquita", "chainguard", "wolfi", "minimos"), _apk),
    **dict.fromkeys(
        ("almalinux", "rocky linux", "red hat", "opensuse", "suse", "openeuler", "mageia", "photon os"), _rpm
    ),
    "pypi": _pep440,
    "maven": _of("MavenVersion"),
    "rubygems": _of("RubygemsVersion"),
    "nuget": _of("NugetVersion"),
    "packagist": _composer,
}  # fmt: skip
