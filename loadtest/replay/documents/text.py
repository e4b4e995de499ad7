"""Documents that people type or upload, as JSON."""

import json
from math import isfinite
from typing import Any


class NotJson(ValueError):
    """The text is no JSON; the sentence says where it breaks off."""


def parse(text: str | bytes) -> Any:
    """The JSON value of a text, or of bytes in UTF-8. An escape of half a character stays what it is.

    Raises NotJson: for NaN, infinities and what is nested too deeply as well.
    """
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(plain, parse_constant=_number, parse_float=_number)
    except json.JSONDecodeError as error:
        raise NotJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise NotJson(f"it cannot be read: {error}"[:200]) from None


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text[:20]} is no number of JSON")
    return number
