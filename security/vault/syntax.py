"""How a text refers to a secret: `{{secret:NAME}}`. Pure, so that an agent without a database knows it too."""

import re
from collections.abc import Mapping
from typing import Any

_REFERENCE = re.compile(r"\{\{\s*secret:([^{}]*)\}\}")
_NAME = re.compile(r"[\w.-]{1,256}")
SHORTEST_HIDDEN = 4  # characters; to hide shorter values wherever they occur would hide everything


def names_in(*texts: str) -> list[str]:
    """The names of the secrets that texts refer to, each once, in order; also what can be no name."""
    return list(dict.fromkeys(found[1].rstrip() for text in texts for found in _REFERENCE.finditer(text)))


def is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def is_reference(text: str) -> bool:
    """Whether the text is one reference and nothing else, so that showing it shows no secret."""
    return bool(_REFERENCE.fullmatch(text.strip()))


def written(name: str) -> str:
    """The reference to a secret."""
    return f"{{{{secret:{name}}}}}"


def texts_in(value: Any) -> list[str]:
    """Every text in a JSON value that holds a reference."""
    if isinstance(value, str):
        return [value] if _REFERENCE.search(value) else []
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in texts_in(inner)]
    return [text for inner in value for text in texts_in(inner)] if isinstance(value, list | tuple) else []


def put_in(value: Any, values: Mapping[str, str]) -> Any:
    """The text, or JSON value, with each reference replaced; in one pass, so a value is not looked at again."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: values.get(found[1].rstrip(), found[0]), value)
    if isinstance(value, Mapping):
        return {name: put_in(inner, values) for name, inner in value.items()}
    return [put_in(inner, values) for inner in value] if isinstance(value, list | tuple) else value


def taken_out(text: str, values: Mapping[str, str]) -> str:
    """The text with the references again in place of the values, for what is kept of something filled in."""
    for name, value in sorted(values.items(), key=lambda one: -len(one[1])):
        text = text.replace(value, written(name)) if len(value) >= SHORTEST_HIDDEN else text
    return text
