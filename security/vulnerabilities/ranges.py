"""Whether an advisory's ranges hold a version: the evaluation that the OSV schema describes (contract: §22)."""

from collections.abc import Sequence
from functools import cmp_to_key, lru_cache
from typing import Any

from security.vulnerabilities.versions import Unjudgeable, before, parsed

START = "0"  # before every version
KINDS = ("SEMVER", "ECOSYSTEM")  # of ranges; those of commits say nothing about releases
EVENTS = ("introduced", "fixed", "last_affected", "limit")
Event = tuple[str, str]


def holds(version: str, ecosystem: str, ranges: Sequence[Any]) -> tuple[bool, str | None]:
    """Whether one of the ranges holds the version, and the version that fixes it in that range, if any does.

    Versions that do not compare in this ecosystem are held by no range but one that begins or ends with exactly them.
    """
    for one in ranges:
        events = [(kind, text) for event in one["events"] for kind, text in event.items() if kind in EVENTS]
        try:
            held, fix = _held(version, ecosystem, events)
        except Unjudgeable:
            held, fix = bool({("introduced", version), ("last_affected", version)} & set(events)), None
        if held:
            return True, fix
    return False, None


def first_fix(ranges: Sequence[Any]) -> str | None:
    """The first `fixed` event."""
    return next((event["fixed"] for one in ranges for event in one["events"] if "fixed" in event), None)


def _held(version: str, ecosystem: str, events: list[Event]) -> tuple[bool, str | None]:
    parsed(version, ecosystem)  # a version without an order is in no range, not even one from the start
    limits = [text for kind, text in events if kind == "limit"]
    if limits and "*" not in limits and not any(before(version, limit, ecosystem) for limit in limits):
        return False, None
    held = False
    # A range that ends where another begins holds that version: the end is told first.
    steps = _steps(ecosystem, tuple(event for event in events if event[0] != "limit"))
    for place, (kind, text) in enumerate(steps):
        at_or_after = text == START or not before(version, text, ecosystem)
        if kind == "introduced":
            held = held or at_or_after
        elif (kind == "fixed" and at_or_after) or (kind == "last_affected" and before(text, version, ecosystem)):
            held = False
        if held and not at_or_after:
            return True, next((fix for kind, fix in steps[place:] if kind == "fixed"), None)
    return held, None


@lru_cache(maxsize=4096)
def _steps(ecosystem: str, events: tuple[Event, ...]) -> list[Event]:
    """The events in the order of their versions; one range is asked about many versions in a row."""
    return sorted(events, key=_order(ecosystem))


def _order(ecosystem: str) -> Any:
    def compare(one: Event, other: Event) -> int:
        if one[1] == other[1]:
            return (one[0] == "introduced") - (other[0] == "introduced")
        if START in (one[1], other[1]):
            return -1 if one[1] == START else 1
        return before(other[1], one[1], ecosystem) - before(one[1], other[1], ecosystem)

    return cmp_to_key(compare)
