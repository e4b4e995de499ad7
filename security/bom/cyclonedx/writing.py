"""A bill of material of one instance: `python -m` this module, `Order` in, CycloneDX out."""

import json
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from security.bom.cyclonedx.reading import ECOSYSTEM

GROUP = 100


class Order(msgspec.Struct, kw_only=True):
    """What to write. Packages and statements are rows as in `reading.Contents`."""

    version: str
    serial: str
    instance_id: str
    instance_name: str
    product_version: str
    at: datetime
    packages: list[list[str | None]]
    statements: list[list[str]]


def document(order: Order) -> bytes:
    """The document as JSON.

    The library looks through all components for each one, so they are written in groups and put together.
    """
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.tool import ToolRepository

    tool = Component(type=ComponentType.APPLICATION, name="Pharos", version=order.product_version)
    machine = Component(type=ComponentType.DEVICE, name=order.instance_name, bom_ref=order.instance_id)
    tools = ToolRepository(components=[tool])
    metadata = BomMetaData(component=machine, timestamp=order.at.astimezone(UTC), tools=tools)
    refs: dict[tuple[str, str], list[str]] = {}
    components: list[Any] = []
    for begin in range(0, len(order.packages), GROUP):
        group = [_component(row, refs) for row in order.packages[begin : begin + GROUP]]
        components += _written(Bom(components=group), order.version)["components"]
    vulnerabilities = [_vulnerability(row, refs) for row in order.statements]
    frame = Bom(serial_number=UUID(order.serial), metadata=metadata, vulnerabilities=vulnerabilities)
    whole = _written(frame, order.version) | {"components": components}
    del whole["dependencies"]  # what needs what is not known
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _written(bom: Any, version: str) -> dict[str, Any]:
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    schema = getattr(SchemaVersion, "V" + version.replace(".", "_"))
    return json.loads(make_outputter(bom, OutputFormat.JSON, schema).output_as_string())


def _component(row: list[Any], refs: dict[tuple[str, str], list[str]]) -> Any:
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.license import DisjunctiveLicense
    from packageurl import PackageURL

    from security.bom.cyclonedx import purls

    name, version, ecosystem, license, source, source_version = row
    text = purls.write(ecosystem, name, version, source, source_version)
    is_same = text is not None and purls.read(text)[:3] == (ecosystem, name, version)
    ref = text if text and is_same else f"{ecosystem}/{name}@{version}"
    refs.setdefault((ecosystem, name), []).append(ref)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=ref,
        purl=PackageURL.from_string(text) if text else None,
        licenses=[DisjunctiveLicense(name=license)] if license else None,
        properties=None if is_same else [Property(name=ECOSYSTEM, value=ecosystem)],
    )


def _vulnerability(row: list[str], refs: dict[tuple[str, str], list[str]]) -> Any:
    from cyclonedx.model.impact_analysis import ImpactAnalysisJustification, ImpactAnalysisState
    from cyclonedx.model.vulnerability import BomTarget, Vulnerability, VulnerabilityAnalysis

    name, ecosystem, package, state, justification, detail = row
    known = {one.value for one in ImpactAnalysisJustification}
    return Vulnerability(
        id=name,
        analysis=VulnerabilityAnalysis(
            state=ImpactAnalysisState(state),
            justification=ImpactAnalysisJustification(justification) if justification in known else None,
            detail=detail or None,
        ),
        affects=[BomTarget(ref=ref) for ref in refs.get((ecosystem, package), [])],
    )


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    sys.stdout.buffer.write(document(order))


if __name__ == "__main__":
    main()
