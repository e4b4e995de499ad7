"""A pack becomes one entry a metric (contract: signals §8.8)."""

from collections.abc import Mapping
from typing import Any

from loadtest.signals.scenario.errors import Path
from loadtest.signals.scenario.fields import Fields

_OVERRIDES = ("generator", "labels")


def expanded(
    fields: Fields,
    merged: Mapping[str, Any],
    own_labels: Mapping[str, Any],
    default_labels: Mapping[str, Any],
    pack: Mapping[str, Any],
    origins: Mapping[str, Path],
) -> list[Fields]:
    """Labels, low to high: defaults, pack, metric, entry, override."""
    overrides = _overrides(fields, pack)
    ident = fields.raw("id")
    made = []
    for metric in pack["metrics"]:
        name, override = metric["name"], overrides.get(metric["name"], {})
        labels = _over(default_labels, pack.get("shared_labels"), metric.get("labels"), own_labels)
        raw = {
            **{key: value for key, value in merged.items() if key not in ("pack", "overrides", "name")},
            "name": name,
            "generator": override.get("generator") or metric["generator"],
            "labels": _over(labels, override.get("labels")),
            "id": f"{ident}.{name}" if ident else None,
        }
        made.append(Fields(raw, fields.path, f"{fields.who}, metric '{name}'", origins=origins))
    return made


def _over(*layers: Any) -> Any:
    """The layers over one another; one that is no mapping stays, for the check of values to refuse."""
    made: dict[str, Any] = {}
    for layer in layers:
        if layer is None:
            continue
        if not isinstance(layer, dict):
            return layer
        made |= layer
    return made


def _overrides(fields: Fields, pack: Mapping[str, Any]) -> dict[str, Any]:
    within = fields.mapping("overrides", None)
    if within is None:
        return {}
    known = [metric["name"] for metric in pack["metrics"]]
    for name in within.names():
        if name not in known:
            raise within.fault(name, f"names no metric of the pack; it has {', '.join(known)}")
        one = within.mapping(name)
        for key in one.names():
            if key not in _OVERRIDES:
                raise one.fault(key, "is not known here")
    return {name: within.raw(name) for name in within.names()}
