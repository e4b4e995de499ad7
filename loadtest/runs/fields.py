"""Reading one field of a body; each fault names the field (contract: load testing §1). null counts as absent."""

from math import isfinite
from typing import Any

from config.api.errors import Invalid


def is_number(value: Any) -> bool:
    """A JSON number of any size; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and (type(value) is int or isfinite(value))


class Fields:
    """The fields of a JSON object. A reader gives the default for an absent field, raises Invalid for a bad one."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def __getitem__(self, name: str) -> Any:
        return self._body.get(name)

    def has(self, name: str) -> bool:
        return self._body.get(name) is not None

    def number(self, name: str, default: float | None, low: float, high: float, *, above: bool = False) -> float:
        """`above` excludes the lower bound. A field without a default is required."""
        value = self[name]
        if value is None:
            if default is None:
                raise Invalid(f"Missing required field: {name}")
            return default
        if not is_number(value):
            raise Invalid(f"'{name}' must be a number")
        if value < low or (above and value == low):
            raise Invalid(f"'{name}' must be {'greater than' if above else 'at least'} {low:g} (got {str(value)[:40]})")
        if value > high:
            raise Invalid(f"'{name}' must be at most {high:.12g} (got {str(value)[:40]})")
        return value

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        value = self.number(name, default, low, high) if not isinstance(self[name], str) else None
        if value is None or value != int(value):
            raise Invalid(f"'{name}' must be a whole number")
        return int(value)

    def boolean(self, name: str, default: bool) -> bool:
        return default if self[name] is None else self._of_type(name, bool, "true or false")

    def text(self, name: str, most: int, default: str = "") -> str:
        value = default if self[name] is None else self._of_type(name, str, "a string")
        if len(value.encode(errors="replace")) > most:
            raise Invalid(f"'{name}' must be at most {most} bytes long")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        return {} if self[name] is None else self._of_type(name, dict, "an object")

    def _of_type(self, name: str, kind: type, words: str) -> Any:
        if not isinstance(self[name], kind):
            raise Invalid(f"'{name}' must be {words}")
        return self[name]
