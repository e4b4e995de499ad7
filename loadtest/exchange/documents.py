"""Reading what somebody pasted or uploaded, without letting it grow. Pure."""

import json
from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any

import yaml

from config.api.errors import Invalid

MAX_YAML = 1 << 20  # characters; its reader takes seconds for what JSON's takes milliseconds
MAX_NODES = 400_000
MAX_DEPTH = 120


def read(content: str) -> Any:
    """The value of a JSON or YAML text. Raises Invalid, also where it is too large or nested too deeply."""
    text = content.lstrip("\ufeff \t\r\n")
    try:
        value = json.loads(text)
    except RecursionError:
        raise Invalid("The document is nested too deeply") from None
    except ValueError as fault:
        if text[:1] in ("{", "["):
            raise Invalid(f"The document is not valid JSON: {fault}") from None
        value = _yaml(content)
    return bounded(value)


def _yaml(content: str) -> Any:
    if len(content) > MAX_YAML:
        raise Invalid("A YAML document of more than 1 MB is not read; convert it to JSON")
    try:
        return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe one
    except yaml.MarkedYAMLError as fault:
        where = f" at line {fault.problem_mark.line + 1}" if fault.problem_mark else ""
        raise Invalid(f"The document is neither JSON nor YAML: {fault.problem}{where}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Invalid("The document is neither JSON nor YAML") from None


def bounded(value: Any) -> Any:
    """The value as plain JSON with text for names. Raises Invalid when it unfolds to too much (aliases, loops)."""
    budget = [MAX_NODES]
    return _plain(value, 0, budget)


def _plain(value: Any, depth: int, budget: list[int]) -> Any:
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise Invalid("The document is too large or nested too deeply")
    match value:
        case str() | bool() | int() | None:
            return value
        case float():
            return value if isfinite(value) else str(value)
        case Mapping():
            return {_name(key): _plain(inner, depth + 1, budget) for key, inner in value.items()}
        case list() | tuple() | set():
            return [_plain(inner, depth + 1, budget) for inner in value]
        case date():
            return value.isoformat()
    return str(value)


def _name(key: Any) -> str:
    return key if isinstance(key, str) else str(key).lower() if isinstance(key, bool) else str(key)


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one: readers forgive what they can do without."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; everything else in it, or instead of it, is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """A text as it is, null as an empty one, anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
