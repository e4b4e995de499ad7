"""Reading the members of a mapping, each with its rule; every fault names the entry and the field."""

import re
from collections.abc import Collection, Mapping
from math import isfinite, isnan
from typing import Any

from loadtest.signals.encoders.numbers import value_text
from loadtest.signals.scenario.errors import Path, Shapeless, Unprocessable

_DURATION = re.compile(r"(\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(ms|s|m|h)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST_S = 100 * 366 * 86400.0
LONGEST_TEXT = 65_536
MOST_SEED = 2**64 - 1
_ABSENT: Any = object()


class Fields:
    """A mapping at its place in the document. Null stands for absent. What nobody asked for is an unknown key."""

    def __init__(
        self,
        raw: Mapping[str, Any],
        path: Path,
        who: str,
        prefix: str = "",
        *,
        origins: Mapping[str, Path] | None = None,
        family: "list[Fields] | None" = None,
    ) -> None:
        """`origins`: where members stand that came from elsewhere, as from defaults. `family`: all of one entry."""
        self._raw, self.path, self.who, self._prefix = raw, path, who, prefix
        self._origins = origins or {}
        self._family = family if family is not None else []
        self._family.append(self)
        self._asked: set[str] = set()
        self._within: dict[str, Fields] = {}

    def has(self, name: str) -> bool:
        self._asked.add(name)
        return self._raw.get(name) is not None

    def raw(self, name: str) -> Any:
        """The value as it stands, or None."""
        self._asked.add(name)
        return self._raw.get(name)

    def unknown(self) -> list[Unprocessable]:
        """A fault for each name, here and within, that no rule asked for."""
        return [
            one.fault(name, "is not known here") for one in self._family for name in one._raw if name not in one._asked
        ]

    def names(self) -> list[str]:
        """All names, where a mapping has names of its user's."""
        self._asked.update(self._raw)
        return list(self._raw)

    def at(self, name: str) -> Path:
        return self._origins.get(name, (*self.path, name))

    def fault(self, name: str, problem: str) -> Unprocessable:
        return Unprocessable(f"{self.who}: '{self._prefix}{name}' {problem}", self.at(name))

    def shapeless(self, name: str, problem: str) -> Shapeless:
        return Shapeless(f"{self.who}: '{self._prefix}{name}' {problem}", self.at(name))

    def text(self, name: str, default: Any = _ABSENT, *, longest: int = LONGEST_TEXT) -> Any:
        value = self._found(name, default)
        if value is _ABSENT:
            return default
        if not isinstance(value, str):
            raise self.fault(name, "must be text")
        if len(value) > longest:
            raise self.fault(name, f"must have at most {longest} characters")
        return value

    def choice(self, name: str, choices: Collection[str], default: Any = _ABSENT) -> Any:
        value = self.text(name, default)
        if value is not default and value not in choices:
            raise self.fault(name, f"must be one of {', '.join(sorted(choices))}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._found(name, default)
        if value is _ABSENT:
            return default
        if not isinstance(value, bool):
            raise self.fault(name, "must be true or false")
        return value

    def number(
        self,
        name: str,
        default: Any = _ABSENT,
        *,
        above: float | None = None,
        at_least: float | None = None,
        at_most: float | None = None,
        finite: bool = True,
    ) -> Any:
        value = self._found(name, default)
        if value is _ABSENT:
            return default
        number = real(value)
        if number is None:
            raise self.fault(name, "must be a number")
        if finite and not isfinite(number):
            raise self.fault(name, "must be a finite number")
        if above is not None and not number > above:
            raise self.fault(name, f"must be above {above:g}")
        if at_least is not None and not number >= at_least:
            raise self.fault(name, f"must be at least {at_least:g}")
        if at_most is not None and not number <= at_most:
            raise self.fault(name, f"must be at most {at_most:g}")
        return number

    def integer(self, name: str, default: Any = _ABSENT, *, at_least: int = 0, at_most: int = MOST_SEED) -> Any:
        value = self._found(name, default)
        if value is _ABSENT:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fault(name, "must be a whole number")
        if not at_least <= value <= at_most:
            raise self.fault(name, f"must be from {at_least} to {at_most}")
        return value

    def seconds(self, name: str, default: Any = _ABSENT, *, zero: bool = False) -> Any:
        """A duration as text, in seconds. Above zero, unless `zero` allows it."""
        value = self._found(name, default)
        if value is _ABSENT:
            return default
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise self.fault(name, 'must be a duration such as "500ms", "90s", "1.5m" or "2h"')
        length_s = float(found[1]) * _SECONDS[found[2]]
        if length_s <= 0 and not zero:
            raise self.fault(name, "must be above zero")
        if length_s > LONGEST_S:
            raise self.fault(name, "must be at most a century")
        return length_s

    def mapping(self, name: str, default: Any = _ABSENT) -> Any:
        """Fields of a mapping within; `default` where there is none."""
        value = self._found(name, default)
        if value is _ABSENT:
            return default
        if not isinstance(value, dict):
            raise self.fault(name, "must be a mapping")
        if name not in self._within:
            prefix = f"{self._prefix}{name}."
            self._within[name] = Fields(value, self.at(name), self.who, prefix, family=self._family)
        return self._within[name]

    def items(self, name: str, default: Any = _ABSENT, *, most: int = 100_000) -> Any:
        """A list as it stands."""
        value = self._found(name, default)
        if value is _ABSENT:
            return default
        if not isinstance(value, list):
            raise self.fault(name, "must be a list")
        if len(value) > most:
            raise self.fault(name, f"must have at most {most} items")
        return value

    def mappings(self, name: str, *, most: int = 1000) -> "list[Fields]":
        """Fields of each mapping in a list; none where there is no list."""
        return [self._item(name, place, value) for place, value in enumerate(self.items(name, [], most=most))]

    def _item(self, name: str, place: int, value: Any) -> "Fields":
        label = f"{name}[{place}]"
        if not isinstance(value, dict):
            raise Unprocessable(f"{self.who}: '{self._prefix}{label}' must be a mapping", (*self.at(name), place))
        return Fields(value, (*self.at(name), place), self.who, f"{self._prefix}{label}.", family=self._family)

    def numbers(self, name: str, default: Any = _ABSENT, *, finite: bool = True, most: int = 100_000) -> list[float]:
        """A list of at least one number."""
        values = self.items(name, default, most=most)
        found = [real(value) for value in values]
        if any(value is None or (finite and not isfinite(value)) for value in found):
            raise self.fault(name, "must be a list of numbers")
        if not found:
            raise self.fault(name, "must not be empty")
        return found  # type: ignore[return-value]

    def texts(self, name: str, *, most: int = 10_000) -> list[str]:
        """A list of at least one text; numbers and truth values become text."""
        values = [scalar_text(value) for value in self.items(name, most=most)]
        if any(value is None or len(value) > LONGEST_TEXT for value in values):
            raise self.fault(name, "must be a list of texts")
        if not values:
            raise self.fault(name, "must not be empty")
        return values  # type: ignore[return-value]

    def _found(self, name: str, default: Any) -> Any:
        """The value, or _ABSENT where a default stands in; a field without default must be there."""
        self._asked.add(name)
        value = self._raw.get(name)
        if value is None:
            if default is _ABSENT:
                raise self.fault(name, "is required")
            return _ABSENT
        return value


def real(value: Any) -> float | None:
    """The number as a float, also where it is too large for one (infinite then); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def scalar_text(value: Any) -> str | None:
    """Text of a text, number or truth value as a label carries it; None for anything else."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return "NaN" if isnan(value) else value_text(value)
    return None
