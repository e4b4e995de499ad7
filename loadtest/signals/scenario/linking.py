"""`after` and `while` between entries: references, cycles, start offsets, shared clocks (contract: signals §8.7)."""

from collections.abc import Mapping

import msgspec

from loadtest.signals.scenario.crossing import crossing_s
from loadtest.signals.scenario.entry import Entry, Gate
from loadtest.signals.scenario.fields import Fields

LONGEST_OFFSET_S = 10 * 366 * 86400.0
# A parsed entry with the fields it came from.
Parsed = tuple[Fields, Entry]


class After(msgspec.Struct, frozen=True):
    ref: str
    op: str
    value: float
    delay_s: float


def check_references(entries: list[tuple[Fields, bool]]) -> None:
    """Raises Shapeless for references to nothing and to oneself, and for cycles. With each: whether it may expand."""
    known = {fields.raw("id"): place for place, (fields, _) in enumerate(entries) if fields.raw("id")}
    expands = tuple(f"{fields.raw('id')}." for fields, may in entries if may and fields.raw("id"))
    waits: dict[str, list[str]] = {}
    for fields, _ in entries:
        ident = fields.raw("id")
        for name in ("after", "while"):
            raw = fields.raw(name)
            ref = raw.get("ref") if isinstance(raw, dict) else None
            if not isinstance(ref, str):
                continue
            if ref not in known and not ref.startswith(expands):
                raise fields.shapeless(name, f"refers to '{ref}', which is the id of no entry")
            if ref == ident:
                raise fields.shapeless(name, "refers to its own entry")
            waits.setdefault(ident or f"#{id(fields)}", []).append(ref)
    for ident in waits:
        if _reaches_itself(ident, waits):
            fields = entries[known[ident]][0]
            name = "after" if isinstance(fields.raw("after"), dict) else "while"
            raise fields.shapeless(name, f"waits in a circle that leads back to '{ident}'")


def _reaches_itself(start: str, waits: Mapping[str, list[str]]) -> bool:
    seen: set[str] = set()
    open_ = list(waits[start])
    while open_:
        at = open_.pop()
        if at == start:
            return True
        if at not in seen:
            seen.add(at)
            open_ += waits.get(at, [])
    return False


def read_after(fields: Fields) -> After | None:
    within = fields.mapping("after", None)
    if within is None:
        return None
    after = After(
        ref=within.text("ref", longest=256),
        op=within.choice("op", ("<", ">")),
        value=within.number("value"),
        delay_s=within.seconds("delay", 0.0, zero=True),
    )
    if not fields.has("duration"):
        raise fields.fault("duration", "is required together with 'after'")
    return after


def read_gate(fields: Fields) -> Gate | None:
    """The gate of an entry; `entry` is not known yet."""
    within, delay = fields.mapping("while", None), fields.mapping("delay", None)
    if within is None:
        if delay is not None:
            raise fields.fault("delay", "needs 'while'")
        return None
    for name in ("scenario_name", "if_unresolved"):
        if within.has(name):
            raise within.fault(name, "is not supported yet: a gate looks at entries of its own body only")
    ref, op = within.text("ref", longest=256), within.choice("op", ("<", ">"))
    value = within.number("value")
    if not fields.has("duration"):
        raise fields.fault("duration", "is required together with 'while'")
    gate = Gate(ref=ref, entry=-1, op=op, value=value)
    return _delayed(gate, delay) if delay else gate


def _delayed(gate: Gate, delay: Fields) -> Gate:
    open_s, close = delay.seconds("open", 0.0, zero=True), delay.raw("close")
    if not isinstance(close, dict):
        return msgspec.structs.replace(gate, open_s=open_s, close_s=delay.seconds("close", 0.0, zero=True))
    within = delay.mapping("close")
    snap_to, stale = within.number("snap_to", None), within.flag("stale_marker", True)
    if snap_to is not None and not stale:
        raise within.fault("stale_marker", "must not be false together with 'snap_to'")
    close_s = within.seconds("duration", 0.0, zero=True)
    return msgspec.structs.replace(gate, open_s=open_s, close_s=close_s, snap_to=snap_to, stale_marker=stale)


def linked(parsed: list[Parsed], afters: list[After | None], gates: list[Gate | None]) -> list[Entry]:
    """The entries with offsets, clock groups and gates; raises Shapeless where a crossing never comes."""
    places = {entry.id: place for place, (_, entry) in enumerate(parsed) if entry.id}
    offsets: dict[int, float] = {}

    def offset(place: int) -> float:
        if place not in offsets:
            fields, entry = parsed[place]
            offsets[place] = entry.offset_s
            if after := afters[place]:
                target = _target(fields, "after", after.ref, places)
                crossed_s = crossing_s(fields, parsed[target][1], after.op, after.value)
                offsets[place] += offset(target) + crossed_s + after.delay_s
            if offsets[place] > LONGEST_OFFSET_S:
                raise fields.fault("phase_offset", "and 'after' start the entry more than ten years from now")
        return offsets[place]

    groups = _groups(parsed, afters, places)
    made = []
    for place, (fields, entry) in enumerate(parsed):
        after, gate = afters[place], gates[place]
        if gate:
            gate = msgspec.structs.replace(gate, entry=_target(fields, "while", gate.ref, places))
            if parsed[gate.entry][1].signal_type != "metrics":
                raise fields.shapeless("while", f"refers to '{gate.ref}', which has no value to compare: no metric")
        text = f"{after.ref} {after.op} {after.value:g}" if after else None
        made.append(
            msgspec.structs.replace(entry, offset_s=offset(place), clock_group=groups[place], after=text, gate=gate)
        )
    return made


def _target(fields: Fields, name: str, ref: str, places: Mapping[str, int]) -> int:
    if ref not in places:
        raise fields.shapeless(name, f"refers to '{ref}', which is the id of no entry")
    return places[ref]


def _groups(parsed: list[Parsed], afters: list[After | None], places: Mapping[str, int]) -> list[str | None]:
    """The clock group of each entry: what it says, or that of what it follows, or one named after the first of all."""
    first = list(range(len(parsed)))

    def root(place: int) -> int:
        while first[place] != place:
            place = first[place]
        return place

    for place, after in enumerate(afters):
        if after:
            target = _target(parsed[place][0], "after", after.ref, places)
            low, high = sorted((root(place), root(target)))
            first[high] = low
    linked_roots = {root(place) for place, after in enumerate(afters) if after}
    names: dict[int, str] = {}
    for place, (fields, entry) in enumerate(parsed):
        if entry.clock_group and names.setdefault(root(place), entry.clock_group) != entry.clock_group:
            raise fields.fault("clock_group", "differs from that of the entries that it is linked to by 'after'")
    for place in sorted(linked_roots):
        names.setdefault(place, f"after_{parsed[place][1].id or parsed[place][1].name}")
    return [names.get(root(place)) for place in range(len(parsed))]
