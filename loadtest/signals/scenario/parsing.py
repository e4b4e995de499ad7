"""A posted or given body becomes a document of entries (contract: signals §4)."""

from collections.abc import Mapping
from typing import Any

from loadtest.signals.scenario.documents import place_of, read_json, read_yaml
from loadtest.signals.scenario.entries import Limits, entries
from loadtest.signals.scenario.entry import Document
from loadtest.signals.scenario.environment import expanded
from loadtest.signals.scenario.errors import Refused, Shapeless, Unprocessable
from loadtest.signals.scenario.linking import check_references, linked, read_after, read_gate
from loadtest.signals.scenario.replaying import FileLookup
from loadtest.signals.scenario.shaping import Shaped, shaped

USUAL = Limits()
MOST_ENTRIES = 1000


def no_files(name: str) -> str:
    """The lookup of a place that keeps no files."""
    raise LookupError(name)


def parse(
    body: bytes,
    content_type: str | None,
    *,
    environment: Mapping[str, str],
    limits: Limits = USUAL,
    files: FileLookup = no_files,
) -> Document:
    """Read, check and resolve a body.

    `environment` holds only the variables that may be named (§4.8). Raises Shapeless (400) or Unprocessable (422), in
    the order of §4.3: text, shape of all entries, values of all entries. A fault of a field knows its line.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Shapeless("the body is not UTF-8") from None
    text = expanded(text, environment)
    value = read_json(text) if "json" in (content_type or "").lower() else read_yaml(text)
    try:
        return document(value, limits=limits, files=files)
    except Refused as fault:
        fault.line, fault.column = place_of(text, fault.path)
        raise


def document(value: Any, *, limits: Limits = USUAL, files: FileLookup = no_files) -> Document:
    """The document of a body that was read already."""
    found = shaped(value)
    check_references([(fields, _expands(fields.raw("generator"))) for fields, _ in found.entries])
    parsed, afters, gates = [], [], []
    warnings = list(found.warnings)
    for fields, signal in found.entries:
        made = entries(fields, signal, limits=limits, files=files)
        after, gate = read_after(fields), read_gate(fields)
        warnings += _unknown(fields.unknown(), found)
        for entry in made:
            parsed.append((fields, entry))
            afters.append(after)
            gates.append(gate)
    if len(parsed) > MOST_ENTRIES:
        raise Unprocessable(f"the body: makes more than {MOST_ENTRIES} entries")
    return Document(
        entries=linked(parsed, afters, gates),
        warnings=warnings,
        flat=found.one and len(parsed) == 1,
        scenario_name=found.scenario_name,
    )


def _expands(generator: Any) -> bool:
    """Whether an entry may become several, known by its id and a name."""
    return isinstance(generator, dict) and generator.get("type") == "csv_replay"


def _unknown(faults: list[Unprocessable], found: Shaped) -> list[str]:
    """In version 2 an unknown key is refused; before, it is ignored and told."""
    if faults and found.strict:
        raise faults[0]
    return [f"{fault.message} and was ignored" for fault in faults]
