"""Names of ecosystems and packages as OSV writes them, so that two spellings of one thing meet."""

import re

# https://ossf.github.io/osv-schema/#defined-ecosystems; a release may follow after a colon.
ECOSYSTEMS = (
    "AlmaLinux", "Alpaquita", "Alpine", "Android", "BellSoft Hardened Containers", "Bioconductor", "Bitnami",
    "Chainguard", "CleanStart", "ConanCenter", "CRAN", "crates.io", "Debian", "Docker Hardened Images", "Echo",
    "FreeBSD", "GHC", "GitHub Actions", "Go", "Hackage", "Hex", "Julia", "Kubernetes", "Linux", "Mageia", "Maven",
    "MinimOS", "npm", "NuGet", "opam", "openEuler", "openSUSE", "OSS-Fuzz", "Packagist", "Photon OS", "Pub", "PyPI",
    "Red Hat", "Rocky Linux", "Root", "RubyGems", "SUSE", "SwiftURL", "Ubuntu", "VSCode", "Wolfi",
)  # fmt: skip
_KNOWN = {name.lower(): name for name in ECOSYSTEMS}
_SAME = {"PyPI": re.compile(r"[-_.]+")}  # PEP 503
_ANY_CASE = {"PyPI", "NuGet", "Packagist", "GitHub Actions", "Pub", "Hex", "Debian", "Ubuntu", "Alpine"}


def ecosystem(text: str) -> str:
    """OSV's spelling of an ecosystem, which is compared whatever its case; an unknown one stays as it is."""
    base, colon, release = text.strip().partition(":")
    name = _KNOWN.get(base.strip().lower())
    if name is None:
        return text.strip()
    release = release.strip()
    if name == "Ubuntu":
        release = ":".join(part.upper() if part.lower() == "lts" else part for part in release.split(":"))
    elif name == "Alpine" and release:
        release = "v" + release.lower().removeprefix("v")
    return f"{name}:{release}" if colon and release else name


def base(name: str) -> str:
    """The ecosystem without its release."""
    return name.partition(":")[0]


def version(ecosystem: str, text: str) -> str:
    """The version as OSV writes it: those of Go without the `v` in front."""
    return text.strip().removeprefix("v") if ecosystem == "Go" else text.strip()


def canonical(ecosystem: str, name: str) -> str:
    """The package's name as its ecosystem compares it."""
    family, name = base(ecosystem), name.strip()
    if same := _SAME.get(family):
        name = same.sub("-", name)
    return name.lower() if family in _ANY_CASE else name
