"""A package as somebody reports it, and what is refused (contract: fleet console §22, §31.5)."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from config.api.errors import Invalid
from security.bom import names

MOST_PACKAGES = 20_000
MOST_NAMED_FAULTS = 20
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST = {"ecosystem": 64}  # of the others 256
REQUIRED = ("name", "version", "ecosystem")

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Package:
    """`source_name` and `source_version`: the source package that a Linux distribution built it from."""

    name: str
    version: str
    ecosystem: str
    license: str | None = None
    source_name: str | None = None
    source_version: str | None = None

    @property
    def key(self) -> Key:
        """What makes it the same package on two instances."""
        return (self.ecosystem, self.name, self.version)


def checked(packages: Sequence[Package], *, most: int = MOST_PACKAGES) -> dict[Key, Package]:
    """The packages by key, names as their ecosystem compares them; what came twice once. Raises Invalid."""
    if len(packages) > most:
        raise Invalid(f"An inventory has at most {most:,} packages", details={"packages": [f"has {len(packages):,}"]})
    found, faults = dict[Key, Package](), list[str]()
    for number, package in enumerate(packages):
        if fault := _fault(package):
            faults.append(f"packages[{number}]: {fault}")
            if len(faults) == MOST_NAMED_FAULTS:
                break
            continue
        known = _canonical(package)
        earlier = found.setdefault(known.key, known)
        if earlier.license is None and known.license is not None:
            found[known.key] = replace(earlier, license=known.license)
    if faults:
        raise Invalid("The packages break a rule: " + faults[0], details={"packages": faults})
    return found


def digest(packages: Iterable[Package]) -> str:
    """The same for the same packages in any order."""
    lines = sorted("\x1f".join(getattr(one, name) or "" for name in NAMES) for one in packages)
    return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()


NAMES = tuple(field.name for field in fields(Package))


def _fault(package: Package) -> str:
    for name in NAMES:
        value = getattr(package, name)
        if value is None and name not in REQUIRED:
            continue
        if not isinstance(value, str) or (name in REQUIRED and not value.strip()):
            return f"{name} is missing" if not value else f"{name} is not a text"
        if len(value) > (longest := LONGEST.get(name, 256)):
            return f"{name} is longer than {longest} characters"
        if CONTROL.search(value):
            return f"{name} has control characters"
    return ""


def _canonical(package: Package) -> Package:
    ecosystem = names.ecosystem(package.ecosystem)
    source = package.source_name and names.canonical(ecosystem, package.source_name)
    return Package(
        name=names.canonical(ecosystem, package.name),
        version=names.version(ecosystem, package.version),
        ecosystem=ecosystem,
        license=(package.license or "").strip() or None,
        source_name=source or None,
        source_version=(package.source_version or "").strip() or None,
    )
