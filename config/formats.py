"""How numbers, sizes and times are written on pages. The scripts ui.js and charts.js follow the same rules."""

import math
from datetime import datetime
from decimal import Decimal
from typing import TypeGuard

UNKNOWN = "unknown"
BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS = ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", 1, "s"))


def significant(value: float, digits: int = 3) -> str:
    """The number with that many significant figures, whole digits never dropped: 0.0421, 4.2, 94.2, 1,842."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: float | None) -> str:
    """A count as it is, a measured number with 3 significant figures, both with thousands separated."""
    if not _known(value):
        return UNKNOWN
    return f"{value:,}" if isinstance(value, int) else significant(float(value))


def percent(value: float | None) -> str:
    """`value` is in percent (0 to 100), not a fraction."""
    return f"{significant(float(value))} %" if _known(value) else UNKNOWN


def bytes_size(value: float | str | None) -> str:
    """Bytes in binary units; the API writes large counts as decimal strings, so those are taken too."""
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if not _known(value):
        return UNKNOWN
    size, unit = float(value), 0
    while abs(size) >= 1024 and unit < len(BINARY_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{significant(size)} {BINARY_UNITS[unit]}"


def milliseconds(value: float | None) -> str:
    """Milliseconds below one second, seconds from there on: 182 ms, 2.41 s."""
    if not _known(value):
        return UNKNOWN
    return f"{significant(float(value))} ms" if abs(value) < 1000 else duration(value / 1000)


def duration(seconds: float | None) -> str:
    """A length of time, at most two units: 850 ms, 12.5 s, 4 min 10 s, 2 h 5 min, 3 d 4 h."""
    if not _known(seconds):
        return UNKNOWN
    if seconds < 1:
        return f"{significant(seconds * 1000)} ms" if seconds else "0 s"
    if seconds < MINUTE:
        return f"{significant(seconds)} s"
    size, unit, small_size, small_unit = next(step for step in STEPS if seconds >= step[0])
    whole, rest = divmod(int(seconds), size)
    small = rest // small_size
    return f"{whole} {unit} {small} {small_unit}" if small else f"{whole} {unit}"


def relative(moment: datetime, now: datetime) -> str:
    """The distance between two moments in one unit: 4 s ago, 12 min ago, in 2 h, 3 days ago."""
    seconds = (now - moment).total_seconds()
    distance = int(abs(seconds))
    for size, unit in ((DAY, "day"), (HOUR, "h"), (MINUTE, "min"), (1, "s")):
        if distance >= size:
            count = distance // size
            text = f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "now"


def with_unit(value: float | None, unit: str) -> str:
    """A value with the unit names that charts use: %, B, B/s, ms, s, or any other as it is."""
    formats = {"%": percent, "ms": milliseconds, "s": duration, "B": bytes_size}
    if unit in formats:
        return formats[unit](value)
    if unit == "B/s":
        return f"{bytes_size(value)}/s" if _known(value) else UNKNOWN
    return f"{number(value)} {unit}".strip() if _known(value) else UNKNOWN


def _known(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float | Decimal) and math.isfinite(value)
