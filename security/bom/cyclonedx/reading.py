"""From a bill of material to packages and VEX statements: `python -m` this module, document in, `Contents` out.

A process of its own with bounded memory and time: what is in a document is only known when it has been read.
"""

import gc
import resource
import sys
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from msgspec import Meta, field

MOST_BYTES = 32 * 1024 * 1024
MOST_COMPONENTS = 200_000
MOST_STATEMENTS = 20_000
MEMORY_BYTES, CPU_S = 1536 * 1024 * 1024, 30
VERSIONS = ("1.4", "1.5", "1.6")
ECOSYSTEM = "pharos:ecosystem"  # a property, for ecosystems that have no package URL
STATES = (
    "resolved", "resolved_with_pedigree", "exploitable", "in_triage", "false_positive", "not_affected",
)  # fmt: skip

Name = Annotated[str, Meta(max_length=4096)]


class Contents(msgspec.Struct, kw_only=True):
    """What a document holds. A list is null when the document does not speak of it. `fault`: why it is refused."""

    packages: list[list[str | None]] | None = None  # name, version, ecosystem, license, source name and version
    statements: list[list[str]] | None = None  # vulnerability, ecosystem, package, state, justification, detail
    notes: list[str] = []
    fault: str = ""


class Named(msgspec.Struct):
    id: Name | None = None
    name: Name | None = None


class Licensed(msgspec.Struct):
    license: Named | None = None
    expression: Name | None = None


class Property(msgspec.Struct):
    name: Name | None = None
    value: Name | None = None


class Component(msgspec.Struct):
    type: str
    name: Name
    version: Name | None = None
    ref: Name | None = field(default=None, name="bom-ref")
    purl: Name | None = None
    licenses: list[Licensed] = []
    properties: list[Property] = []
    components: list["Component"] = []


class Analysis(msgspec.Struct):
    state: str | None = None
    justification: Annotated[str, Meta(max_length=64)] | None = None
    detail: str | None = None


class Affected(msgspec.Struct):
    ref: Name


class Vulnerability(msgspec.Struct):
    id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    analysis: Analysis | None = None
    affects: list[Affected] = []


class Bom(msgspec.Struct):
    bomFormat: str = ""  # noqa: N815 - the format's name
    specVersion: str = ""  # noqa: N815
    components: list[Component] | None = None
    vulnerabilities: list[Vulnerability] | None = None


Row = list[str | None]


def contents(document: bytes) -> Contents:
    """What the document holds; its `fault` says why it cannot be taken."""
    try:
        bom = msgspec.json.decode(document, type=Bom)
    except (msgspec.DecodeError, UnicodeError) as error:
        return Contents(fault=f"This is no CycloneDX document in JSON: {error}"[:300])
    except RecursionError:
        return Contents(fault="The document is nested too deeply")
    if bom.bomFormat != "CycloneDX" or bom.specVersion not in VERSIONS:
        return Contents(fault=f"The document must be CycloneDX in JSON, version {', '.join(VERSIONS)}")
    components = _flat(bom.components or [])
    if len(components) > MOST_COMPONENTS:
        return Contents(fault=f"The document has more than {MOST_COMPONENTS:,} components")
    if len(bom.vulnerabilities or []) > MOST_COMPONENTS:
        return Contents(fault=f"The document has more than {MOST_COMPONENTS:,} vulnerabilities")
    notes: list[str] = []
    by_ref: dict[str, Row] = {}
    packages = _packages(components, by_ref, notes)
    statements = None if bom.vulnerabilities is None else _statements(bom.vulnerabilities, by_ref, notes)
    if statements is not None and len(statements) > MOST_STATEMENTS:
        return Contents(fault=f"The document makes more than {MOST_STATEMENTS:,} statements about vulnerabilities")
    return Contents(packages=None if bom.components is None else packages, statements=statements, notes=notes)


def _flat(components: list[Component]) -> list[Component]:
    """Components with those within them, at most one more than is allowed."""
    found, waiting = list[Component](), [components]
    while waiting and len(found) <= MOST_COMPONENTS:
        level = waiting.pop()
        found += level
        waiting += [component.components for component in level if component.components]
    return found


def _packages(components: list[Component], by_ref: dict[str, Row], notes: list[str]) -> list[Row]:
    system = next(((one.name, one.version or "") for one in components if one.type == "operating-system"), None)
    found, unnamed = dict[tuple[str | None, ...], Row](), 0
    for component in components:
        if (row := _row(component, system)) is None:
            unnamed += component.type not in ("file", "operating-system", "device", "data")
            continue
        found.setdefault(tuple(row[:3]), row)
        for ref in (component.ref, component.purl):
            if ref:
                by_ref.setdefault(ref, row)
    if unnamed:
        notes.append(f"components without a package URL or without a version, left out: {unnamed:,}")
    return list(found.values())


def _row(component: Component, system: tuple[str, str] | None) -> Row | None:
    from security.bom.cyclonedx import purls

    stated = next((one.value for one in component.properties if one.name == ECOSYSTEM and one.value), None)
    if stated and component.version:
        named = purls.Named(stated, component.name, component.version)
    elif component.purl:
        try:
            named = purls.read(component.purl, version=component.version or "", system=system)
        except ValueError:
            return None
    else:
        return None
    return [named.name, named.version, named.ecosystem, _license(component), named.source_name, named.source_version]


def _license(component: Component) -> str | None:
    """The licences as one expression; None when they are too long to be names."""
    names = []
    for one in component.licenses:
        names.append(one.expression or (one.license and (one.license.id or one.license.name)))
    text = " AND ".join(dict.fromkeys(name for name in names if name))
    return text if text and len(text) <= 256 and text.isprintable() else None


def _statements(found: list[Vulnerability], by_ref: dict[str, Row], notes: list[str]) -> list[list[str]]:
    rows: dict[tuple[str, str, str], list[str]] = {}
    lost = 0
    for one in found:
        if not one.id or one.analysis is None or one.analysis.state not in STATES:
            continue
        said = [one.analysis.state or "", one.analysis.justification or "", (one.analysis.detail or "")[:2000]]
        for ecosystem, name in _meant(one, by_ref):
            if name is None:
                lost += 1
            elif len(rows) <= MOST_STATEMENTS:
                rows[(one.id, ecosystem, name)] = [one.id, ecosystem, name, *said]
    if lost:
        notes.append(f"statements about vulnerabilities of components that are not known, left out: {lost:,}")
    return list(rows.values())


def _meant(one: Vulnerability, by_ref: dict[str, Row]) -> list[tuple[str, str | None]]:
    """Ecosystem and name of each package that a statement speaks of; no name for one that is not known."""
    if not one.affects:
        return [("", "")]
    from security.bom.cyclonedx import purls

    meant: list[tuple[str, str | None]] = []
    for affected in one.affects:
        ref = unquote(affected.ref.partition("#")[2]) if affected.ref.startswith("urn:cdx:") else affected.ref
        if row := by_ref.get(ref):
            meant.append((str(row[2]), row[0]))
            continue
        try:
            named = purls.read(ref, version="0")
        except ValueError:
            meant.append(("", None))
        else:
            meant.append((named.ecosystem, named.name))
    return meant


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    gc.disable()  # it would only look again and again for what cannot be there
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    answer: Any
    try:
        answer = contents(sys.stdin.buffer.read(MOST_BYTES + 1))
    except MemoryError:
        answer = Contents(fault="The document holds more than can be read")
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()
