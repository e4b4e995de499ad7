"""Between package URLs and OSV's ecosystems (https://github.com/package-url/purl-spec, types)."""

import re
from typing import NamedTuple

from packageurl import PackageURL

# Types of which one ecosystem holds all; how namespace and name make the name there.
LANGUAGES = {
    "pypi": "PyPI", "npm": "npm", "golang": "Go", "maven": "Maven", "gem": "RubyGems", "nuget": "NuGet",
    "cargo": "crates.io", "composer": "Packagist", "hex": "Hex", "pub": "Pub", "hackage": "Hackage", "cran": "CRAN",
    "conan": "ConanCenter", "swift": "SwiftURL", "githubactions": "GitHub Actions", "bitnami": "Bitnami",
    "julia": "Julia", "opam": "opam",
}  # fmt: skip
TYPES = {ecosystem: type for type, ecosystem in LANGUAGES.items()}
SYSTEMS = {  # by type and namespace
    ("deb", "debian"): "Debian", ("deb", "ubuntu"): "Ubuntu", ("apk", "alpine"): "Alpine", ("apk", "wolfi"): "Wolfi",
    ("apk", "chainguard"): "Chainguard", ("rpm", "rocky"): "Rocky Linux", ("rpm", "almalinux"): "AlmaLinux",
    ("rpm", "redhat"): "Red Hat", ("rpm", "opensuse"): "openSUSE", ("rpm", "suse"): "SUSE", ("rpm", "mageia"): "Mageia",
    ("rpm", "openeuler"): "openEuler",
}  # fmt: skip
PLACES = {ecosystem: place for place, ecosystem in SYSTEMS.items()}
NAMESPACES = {"rockylinux": "rocky", "rocky-linux": "rocky", "rhel": "redhat", "alma": "almalinux", "sles": "suse"}
CODENAMES = {
    "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14",
    "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04",
}  # fmt: skip


class Named(NamedTuple):
    """A package as OSV names it."""

    ecosystem: str
    name: str
    version: str
    source_name: str | None = None
    source_version: str | None = None


def read(text: str, *, version: str = "", system: tuple[str, str] | None = None) -> Named:
    """What the package URL means. `system` is name and version of the operating system, for URLs that tell neither.

    Raises ValueError for what is no package URL, or when no version is known.
    """
    purl = PackageURL.from_string(text)
    version = purl.version or version
    if not version:
        raise ValueError("no version")
    said: dict[str, str] = purl.qualifiers if isinstance(purl.qualifiers, dict) else {}
    if language := LANGUAGES.get(purl.type):
        return Named(language, _name(purl), version.removeprefix("v") if purl.type == "golang" else version)
    if purl.type not in ("deb", "apk", "rpm"):
        return Named(purl.type, _name(purl), version)
    if (epoch := said.get("epoch", "0")) != "0" and ":" not in version:
        version = f"{epoch}:{version}"
    source, at, source_version = said.get("upstream", "").partition("@")
    ecosystem = _system(purl, said.get("distro", ""), system)
    if source == purl.name:
        source = ""
    return Named(ecosystem, purl.name, version, source or None, source_version or None)


def write(ecosystem: str, name: str, version: str, source: str | None, source_version: str | None) -> str | None:
    """The package URL that `read` understands in the same way; None where there is none."""
    family, _, release = ecosystem.partition(":")
    qualifiers = {}
    if type := TYPES.get(ecosystem):
        if type == "maven" and ":" in name:
            namespace, _, name = name.partition(":")
        else:
            namespace, _, name = name.rpartition("/") if type not in ("pypi", "cargo") else ("", "", name)
        version = f"v{version}" if type == "golang" and name != "stdlib" else version
    elif place := PLACES.get(family):
        type, namespace = place
        if release:
            qualifiers["distro"] = f"{namespace}-{release.removesuffix(':LTS').removeprefix('v')}"
        if source or source_version:
            qualifiers["upstream"] = (source or name) + (f"@{source_version}" if source_version else "")
    else:
        return None
    try:
        return PackageURL(type, namespace or None, name, version, qualifiers or None).to_string()
    except ValueError:
        return None


def _name(purl: PackageURL) -> str:
    between = ":" if purl.type == "maven" else "/"
    return f"{purl.namespace}{between}{purl.name}" if purl.namespace else purl.name


def _system(purl: PackageURL, distro: str, system: tuple[str, str] | None) -> str:
    """The distribution with its release, as far as URL or bill of material tell it."""
    namespace = (purl.namespace or "").lower()
    namespace = NAMESPACES.get(namespace, namespace)
    family = SYSTEMS.get((purl.type, namespace))
    if family is None:
        return f"{purl.type}/{namespace}" if namespace else purl.type
    release = distro.rpartition("-")[2] or (system[1] if system and system[0].lower() in (namespace, "") else "")
    release = CODENAMES.get(release.lower(), release)
    number = re.match(r"\d+(\.\d+)?", release)
    if not number:
        return family
    major, both = number.group().partition(".")[0], number.group()
    match family:
        case "Debian" | "Rocky Linux" | "AlmaLinux" | "Mageia":
            return f"{family}:{major}"
        case "Ubuntu":
            lts = int(major) % 2 == 0 and both.endswith(".04")
            return f"Ubuntu:{both}:LTS" if lts else f"Ubuntu:{both}"
        case "Alpine":
            return f"Alpine:v{both}"
        case "Red Hat":
            return f"Red Hat:enterprise_linux:{major}"
        case "openSUSE":
            return f"openSUSE:Leap {both}"
    return family
