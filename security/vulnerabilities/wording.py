"""What an advisory says, in words, and what a person can do with it. Pure functions that trust no archive."""

import shlex
from collections.abc import Iterable
from typing import Any

MOST_LINKS = 50
LONGEST_LINK = 2000  # characters
IMPACT = {"N": "none", "L": "low", "H": "high", "P": "partial", "C": "complete"}
REACH = {"N": "over the network", "A": "from a neighbouring network", "L": "on the machine itself", "P": "by hand"}
EASE = {"L": "simple", "M": "of medium difficulty", "H": "difficult"}
# What a metric of a vector asks, and what its values answer: CVSS 2, 3.x and 4.0.
METRICS: dict[str, tuple[str, dict[str, str]]] = {
    "AV": ("Attacked", REACH),
    "AC": ("The attack is", EASE),
    "AT": ("It needs conditions at the target", {"N": "no", "P": "yes"}),
    "PR": ("Rights that the attacker needs", {"N": "none", "L": "those of a user", "H": "those of an administrator"}),
    "Au": ("Signing in", {"N": "not needed", "S": "once", "M": "several times"}),
    "UI": ("Somebody must help", {"N": "no", "R": "yes", "P": "by using the system", "A": "by a deliberate act"}),
    "S": ("Other systems are affected", {"U": "no", "C": "yes"}),
    "C": ("Loss of secrecy", IMPACT),
    "I": ("Loss of integrity", IMPACT),
    "A": ("Loss of availability", IMPACT),
    "VC": ("Loss of secrecy", IMPACT),
    "VI": ("Loss of integrity", IMPACT),
    "VA": ("Loss of availability", IMPACT),
    "SC": ("Loss of secrecy in other systems", IMPACT),
    "SI": ("Loss of integrity in other systems", IMPACT | {"S": "a danger to people"}),
    "SA": ("Loss of availability in other systems", IMPACT | {"S": "a danger to people"}),
}
# How a package is brought to a version, by the ecosystem's name up to the first colon.
UPDATES = {
    "PyPI": "pip install --upgrade {name}=={version}",
    "npm": "npm install {name}@{version}",
    "Debian": "apt-get update && apt-get install --only-upgrade {name}",
    "Ubuntu": "apt-get update && apt-get install --only-upgrade {name}",
    "Alpine": "apk update && apk add --upgrade {name}",
    "Red Hat": "dnf upgrade {name}",
    "Rocky Linux": "dnf upgrade {name}",
    "AlmaLinux": "dnf upgrade {name}",
    "Amazon Linux": "dnf upgrade {name}",
    "Fedora": "dnf upgrade {name}",
    "SUSE": "zypper update {name}",
    "openSUSE": "zypper update {name}",
    "Go": "go get {name}@v{version}",
    "crates.io": "cargo update --package {name} --precise {version}",
    "RubyGems": "bundle update {name}",
    "Packagist": "composer require {name}:{version}",
    "NuGet": "dotnet add package {name} --version {version}",
}


def vector_in_words(vector: str) -> list[tuple[str, str]]:
    """Each base metric of a CVSS vector as question and answer; what is not known is left out."""
    found = []
    for part in vector.split("/"):
        metric, _, value = part.partition(":")
        asked, answers = METRICS.get(metric, ("", {}))
        if value in answers:
            found.append((asked, answers[value]))
    return found


def update_command(ecosystem: str, name: str, version: str | None) -> str:
    """The command that brings a package to the version that has the fix; "" where there is none or it is not known."""
    pattern = UPDATES.get(ecosystem.partition(":")[0], "")
    if not pattern or not version or name.startswith("-"):
        return ""
    return pattern.format(name=shlex.quote(name), version=shlex.quote(version.removeprefix("v")))


def links(references: Iterable[Any]) -> list[str]:
    """The web addresses among the references of an advisory, each once; OSV keeps them as `{type, url}`."""
    found = []
    for one in references if isinstance(references, list) else ():
        address = one.get("url") if isinstance(one, dict) else one
        if isinstance(address, str) and address.startswith(("https://", "http://")) and len(address) <= LONGEST_LINK:
            found.append(address)
    return list(dict.fromkeys(found))[:MOST_LINKS]
