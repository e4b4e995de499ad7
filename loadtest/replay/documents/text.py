"""Documents that people type or upload, as JSON."""

import json
import re
from math import isfinite
from typing import Any

HALF = re.compile(r"\\u[dD][89a-fA-F]")


class NotJson(ValueError):
    """The text is no JSON; the sentence says where it breaks off."""


def parse(text: str | bytes) -> Any:
    """The JSON value of a text, or of bytes in UTF-8.

    Raises NotJson: for NaN, infinities, halves of characters and what is nested too deeply as well.
    """
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = json.loads(plain, parse_constant=_number, parse_float=_number)
        if HALF.search(plain):  # whole ones are written so too
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError:
        raise NotJson("it holds half a character (a lone surrogate)") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise NotJson(f"it cannot be read: {error}"[:200]) from None


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text[:20]} is no number of JSON")
    return number
