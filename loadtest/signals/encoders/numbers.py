"""Values as text (contract: signals §9.1)."""

from collections.abc import Sequence
from decimal import Decimal
from math import copysign, floor, isfinite

import msgspec

_encoder = msgspec.json.Encoder()


def value_text(value: float) -> str:
    """The shortest text that reads back as the same float64: no exponent, no trailing `.0`."""
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    if "e" in text:
        return format(Decimal(text), "f")
    return "NaN" if text == "nan" else text


def value_texts(values: Sequence[float]) -> list[str]:
    """`value_text` of each. JSON's encoder finds shortest texts too, many times faster than `repr` does."""
    joined = _encoder.encode(values)[1:-1].decode()
    if "e" in joined or "n" in joined:  # an exponent; null for what is not finite
        return [value_text(value) for value in values]
    return f"{joined},".replace(".0,", ",")[:-1].split(",") if joined else []


def fixed_text(value: float, precision: int) -> str:
    """So many decimals, correctly rounded."""
    return f"{value:.{precision}f}" if isfinite(value) else value_text(value)


def json_text(value: float) -> str:
    """A number of JSON; null for what JSON has no number for."""
    return repr(value) if isfinite(value) else "null"


def rounded(value: float, precision: int) -> float:
    """Rounded to so many decimals, halves away from zero."""
    scaled = abs(value) * 10.0**precision
    if not isfinite(scaled) or scaled >= 2**53:
        return value
    whole = floor(scaled)
    return copysign((whole + (scaled - whole >= 0.5)) / 10.0**precision, value)
