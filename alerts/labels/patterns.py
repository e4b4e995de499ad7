"""Regular expressions of people, bounded: no pattern that is taken here can keep a worker busy.

Python's engine tries again and again; what makes that explode is a repeat around something that can itself match in
several ways, and many choices in a row. So repeats go over single characters and choices are counted.
"""

import re
from functools import lru_cache
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LONGEST = 200  # characters of a pattern
CHOICES = 6  # repeats and alternatives
SINGLE = {sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY}
PLAIN = {*SINGLE, sre.AT}
REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT}


class BadPattern(ValueError):
    """The pattern cannot be used; the text says why."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern ready for `fullmatch`. Raises BadPattern."""
    if len(pattern) > LONGEST:
        raise BadPattern(f"A pattern has at most {LONGEST} characters.")
    try:
        if _choices(parser.parse(pattern)) > CHOICES:
            raise BadPattern(f"A pattern has at most {CHOICES} repeats and alternatives.")
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPattern(f"Not a regular expression: {error}.") from None


def _choices(parts: Any) -> int:
    count = 0
    for kind, value in parts:
        if kind in REPEATS:
            low, high, body = value
            if high > 1 and (len(body) != 1 or body[0][0] not in SINGLE):
                raise BadPattern("Only single characters can be repeated, not groups.")
            count += 1 + _choices(body)
        elif kind is sre.BRANCH:
            count += 1 + sum(_choices(way) for way in value[1])
        elif kind is sre.SUBPATTERN:
            count += _choices(value[-1])
        elif kind not in PLAIN:
            raise BadPattern("Back references and look-around cannot be used.")
    return count
