"""The shape of a body (400): its dialect, its entries with defaults merged and packs expanded (contract §4.2, §4.4)."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from loadtest.signals import packs
from loadtest.signals.scenario.errors import Path, Shapeless, Unprocessable
from loadtest.signals.scenario.expanding import expanded
from loadtest.signals.scenario.fields import Fields

SIGNALS = ("metrics", "logs", "histogram", "summary")
DEFAULTS = ("rate", "duration", "start_time", "encoder", "sink", "labels", "on_sink_error", "while", "delay")
MOST_ENTRIES = 1000
_TOP = ("version", "kind", "scenario_name", "tags", "category", "description", "expect", "defaults", "scenarios")
_ID = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


class Shaped(msgspec.Struct, frozen=True):
    """`strict`: version 2, where an unknown key is refused. `one`: the body is a single flat entry or of version 2."""

    entries: list[tuple[Fields, str]]  # with its signal
    strict: bool
    one: bool
    scenario_name: str | None
    warnings: list[str]


def shaped(body: Any) -> Shaped:
    """Raises Shapeless for what has no usable shape; values are not looked at."""
    if not isinstance(body, dict):
        raise Shapeless("the body must be a mapping")
    strict = _is_version_2(body)
    warnings: list[str] = []
    name = body.get("scenario_name") if strict else None
    if name is not None and (not isinstance(name, str) or not 0 < len(name) <= 255):
        raise Unprocessable("the body: 'scenario_name' must be a text of 1 to 255 characters", ("scenario_name",))
    defaults = _defaults(body) if strict else {}
    if "scenarios" in body:
        raws = _listed(body["scenarios"])
        _top_keys(body, ("version", "scenarios") if not strict else _TOP, strict, warnings)
    else:
        top = [key for key in (_TOP if strict else ("version",)) if key in body]
        raws = [(_without(body, top), ())]
    entries = [one for place, (raw, path) in enumerate(raws) for one in _entry(raw, path, place, defaults, strict)]
    _check_ids([fields for fields, _ in entries])
    return Shaped(entries, strict, strict or "scenarios" not in body, name, warnings)


def _is_version_2(body: Mapping[str, Any]) -> bool:
    version = body.get("version")
    if version is not None and (isinstance(version, bool) or version not in (1, 2)):
        raise Shapeless("the body: 'version' must be 1 or 2", ("version",))
    if version != 2:
        return False
    kind = body.get("kind")
    if kind == "composable":
        raise Shapeless("the body: 'kind' composable is a pack, which cannot run by itself", ("kind",))
    if kind != "runnable":
        raise Shapeless("the body: 'kind' must be runnable", ("kind",))
    return True


def _defaults(body: Mapping[str, Any]) -> dict[str, Any]:
    defaults = body.get("defaults")
    if defaults is None:
        return {}
    if not isinstance(defaults, dict):
        raise Unprocessable("the body: 'defaults' must be a mapping", ("defaults",))
    for key in defaults:
        if key not in DEFAULTS:
            raise Unprocessable(f"the body: 'defaults.{key}' is not known here", ("defaults", key))
    if not isinstance(defaults.get("labels") or {}, dict):
        raise Unprocessable("the body: 'defaults.labels' must be a mapping", ("defaults", "labels"))
    return defaults


def _listed(scenarios: Any) -> list[tuple[Any, Path]]:
    if not isinstance(scenarios, list) or not scenarios:
        raise Shapeless("the body: 'scenarios' must be a list of at least one entry", ("scenarios",))
    if len(scenarios) > MOST_ENTRIES:
        raise Unprocessable(f"the body: 'scenarios' must have at most {MOST_ENTRIES} entries", ("scenarios",))
    return [(raw, ("scenarios", place)) for place, raw in enumerate(scenarios)]


def _top_keys(body: Mapping[str, Any], known: tuple[str, ...], strict: bool, warnings: list[str]) -> None:
    for key in body:
        if key not in known and strict:
            raise Unprocessable(f"the body: '{key}' is not known here", (key,))
        if key not in known:
            warnings.append(f"the body: '{key}' is not known here and was ignored")


def _without(body: Mapping[str, Any], keys: list[str]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in keys}


def _entry(raw: Any, path: Path, place: int, defaults: Mapping[str, Any], strict: bool) -> list[tuple[Fields, str]]:
    """An entry with its signal, or the entries of its pack; raises Shapeless where something it needs is missing."""
    if not isinstance(raw, dict):
        raise Shapeless(f"entry {place + 1}: must be a mapping", path)
    name = raw.get("name", raw.get("id"))
    who = f"entry '{name}'" if isinstance(name, str) and 0 < len(name) <= 128 else f"entry {place + 1}"
    merged, origins = _merged(raw, defaults)
    fields = Fields(merged, path, who, origins=origins)
    signal = _signal(fields, merged, strict)
    if fields.has("id") and not (isinstance(ident := fields.raw("id"), str) and _ID.fullmatch(ident)):
        raise fields.shapeless("id", "must be letters, digits and underscores, and not begin with a digit")
    if fields.has("pack"):
        pack = packs.pack(fields.raw("pack")) if isinstance(fields.raw("pack"), str) else None
        if pack is None:
            raise fields.shapeless("pack", f"names no pack; known are {', '.join(packs.names())}")
        _needs(fields, "rate")
        labels = defaults.get("labels") or {}
        return [(one, "metrics") for one in expanded(fields, merged, raw.get("labels") or {}, labels, pack, origins)]
    source = _source(fields, signal, strict)
    replayed = signal in ("metrics", "logs") and isinstance(source, dict) and source.get("type") == "csv_replay"
    if not replayed:
        _needs(fields, "rate")
        _needs(fields, "name")
    return [(fields, signal)]


def _merged(raw: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Path]]:
    """The entry over the defaults; labels key by key. An upstream does not wait for itself."""
    taken = {key: value for key, value in defaults.items() if raw.get(key) is None}
    upstream = defaults.get("while")
    if isinstance(upstream, dict) and raw.get("id") is not None and upstream.get("ref") == raw.get("id"):
        taken = {key: value for key, value in taken.items() if key not in ("while", "delay")}
    merged = {**raw, **taken}
    if isinstance(raw.get("labels"), dict) and defaults.get("labels"):
        merged["labels"] = {**defaults["labels"], **raw["labels"]}
    return merged, {key: ("defaults", key) for key in taken}


def _signal(fields: Fields, raw: Mapping[str, Any], strict: bool) -> str:
    if fields.has("signal_type"):
        signal = fields.raw("signal_type")
        if signal not in SIGNALS:
            raise fields.shapeless("signal_type", f"must be one of {', '.join(SIGNALS)}")
        return str(signal)
    generator = raw.get("generator")
    if raw.get("log_generator") is not None:
        return "logs"
    return "logs" if not strict and isinstance(generator, dict) and generator.get("type") == "template" else "metrics"


def _source(fields: Fields, signal: str, strict: bool) -> Any:
    """The mapping that says what the entry makes; raises Shapeless where it is missing or under a wrong name."""
    if signal in ("histogram", "summary"):
        return _needs(fields, "distribution")
    if signal == "metrics":
        return _needs(fields, "generator")
    if strict and fields.has("generator"):
        raise fields.shapeless("generator", "is for metrics; logs have 'log_generator'")
    return _needs(fields, "log_generator" if strict or fields.has("log_generator") else "generator")


def _needs(fields: Fields, name: str) -> Any:
    if not fields.has(name):
        raise fields.shapeless(name, "is required")
    return fields.raw(name)


def _check_ids(entries: list[Fields]) -> None:
    seen: set[str] = set()
    for fields in entries:
        ident = fields.raw("id")
        if ident in seen:
            raise fields.shapeless("id", f"'{ident}' is that of another entry")
        if ident:
            seen.add(ident)
