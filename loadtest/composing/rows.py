"""Names with values as clients write them: an object, or rows that can be switched off. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from loadtest.composing.errors import ComposeError


def rows(value: Any, what: str) -> list[tuple[str, Any]]:
    """The pairs that are switched on, in order; rows without a key are left out. Raises ComposeError, naming `what`.

    `{"name": value}`, or `[{"key", "value", "enabled"}]` in which a name may come twice.
    """
    return [(key, row.get("value")) for key, row in switched_on(value, what)]


def switched_on(value: Any, what: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The same with the whole row, for what may hold more than a value."""
    if isinstance(value, Mapping):
        yield from ((str(key), {"value": inner}) for key, inner in value.items() if key)
        return
    if not isinstance(value, list | tuple | None):
        raise ComposeError(f"'{what}' must be an object or an array of rows")
    for index, row in enumerate(value or ()):
        if not isinstance(row, Mapping) or not isinstance(row.get("key", ""), str):
            raise ComposeError(f"'{what}[{index}]' must be an object with a text under 'key'")
        if row.get("key") and row.get("enabled") is not False:
            yield row["key"], row


def plain(value: Any, what: str) -> str:
    """A value as text: numbers and booleans as JSON writes them, null as an empty text. Raises ComposeError."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    raise ComposeError(f"'{what}' must be text")
