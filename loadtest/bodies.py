"""What the views of this base URL share: bodies and times (contract: load testing §1)."""

import json
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from config.api.errors import Invalid, Malformed


def json_object(request: Any) -> dict[str, Any]:
    """The request's body, which must be a JSON object; an empty one counts as `{}`. Raises Invalid, Malformed.

    Its content type says nothing: shell clients send whatever their default is.
    """
    raw = request._request.body
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw, parse_constant=_finite, parse_float=_finite)
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"{error.msg} at line {error.lineno} column {error.colno}") from None
    except ValueError:
        raise Malformed("it holds a number that cannot be read") from None
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object")
    return body


def _finite(text: str) -> float:
    """A number; NaN and infinities, which 1e999 is too, are none."""
    number = float(text)
    if not isfinite(number):
        raise ValueError
    return number


def unix_ms(moment: datetime | None) -> int:
    """Unix milliseconds; 0 for no moment."""
    return round(moment.astimezone(UTC).timestamp() * 1000) if moment else 0
