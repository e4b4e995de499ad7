"""The text of a body as plain values (contract: signals §4.1): JSON, or YAML by the core schema of YAML 1.2."""

import json
import re
from typing import Any

import yaml

from loadtest.signals.scenario.errors import Path, Shapeless

MOST_ALIASED = 10_000  # nodes that aliases may bring in
MOST_NODES = 50_000
MOST_DEPTH = 64
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_TEXT_TAG = "tag:yaml.org,2002:str"


def read_json(text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as fault:
        raise Shapeless(f"the body is not JSON: {fault.msg}", line=fault.lineno, column=fault.colno) from None
    except RecursionError:
        raise Shapeless("the body is nested too deeply") from None
    except ValueError as fault:
        raise Shapeless(f"the body is not JSON: {fault}") from None
    _check_texts(value, MOST_DEPTH)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {double!r} stands twice in one object")
    return made


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _check_texts(value: Any, depth: int) -> None:
    """Raises on what no encoding and no database takes: half surrogates, NUL."""
    if depth < 0:
        raise Shapeless("the body is nested too deeply")
    match value:
        case str():
            if "\0" in value or not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value):
                raise Shapeless("a text of the body holds a NUL character or half of a surrogate pair")
        case dict():
            for key, inner in value.items():
                _check_texts(key, depth)
                _check_texts(inner, depth - 1)
        case list():
            for inner in value:
                _check_texts(inner, depth - 1)


def read_yaml(text: str) -> Any:
    return YamlReader().read(text)


def place_of(text: str, path: Path) -> tuple[int | None, int | None]:
    """Line and column, from 1, of the field at this path, or of the nearest part around it that the text has."""
    reader = YamlReader()
    try:
        reader.read(text)
    except Shapeless:
        return None, None  # JSON that is no YAML
    while path and path not in reader.places:
        path = path[:-1]
    return reader.places.get(path, (None, None))


class YamlReader:
    """Builds values from the parser's events, on a stack of its own: depth, aliases and size are bounded on the way."""

    def __init__(self) -> None:
        self.places: dict[Path, tuple[int, int]] = {}
        self._stack: list[tuple[Any, Path, str | None]] = []  # container, its path, its anchor
        self._keys: list[str | None] = []  # the key that waits for its value, one a mapping
        self._sizes: list[int] = [0]  # nodes within, one a container that is open
        self._anchored: dict[str, tuple[Any, int]] = {}
        self._aliased = self._nodes = 0
        self._documents = 0
        self._value: Any = None

    def read(self, text: str) -> Any:
        """The value of the only document; raises Shapeless."""
        try:
            for event in yaml.parse(text, Loader=_Loader):
                self._take(event)
        except yaml.MarkedYAMLError as fault:
            line, column = _at(fault.problem_mark)
            raise Shapeless(f"the body is not YAML: {fault.problem}", line=line, column=column) from None
        except yaml.YAMLError:
            raise Shapeless("the body is not YAML: it holds characters that YAML does not allow") from None
        if not self._documents:
            raise Shapeless("the body is empty")
        return self._value

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _refused("the body holds more than one YAML document", event)
            case yaml.AliasEvent():
                if event.anchor not in self._anchored:
                    raise _refused(f"the alias *{event.anchor} has no anchor before it", event)
                value, size = self._anchored[event.anchor]
                self._aliased += size
                if self._aliased > MOST_ALIASED:
                    raise _refused(f"the aliases of the body expand past {MOST_ALIASED} nodes", event)
                self._sizes[-1] += size
                self._put(value, event)
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._open({}, event)
                self._keys.append(None)
            case yaml.SequenceStartEvent():
                self._open([], event)
            case yaml.MappingEndEvent():
                self._keys.pop()
                self._close()
            case yaml.SequenceEndEvent():
                self._close()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count()
        waiting = self._stack and isinstance(self._stack[-1][0], dict) and self._keys[-1] is None
        value = event.value if waiting else _plain(event)
        if isinstance(value, str) and "\0" in value:
            raise _refused("a text of the body holds a NUL character", event)
        if event.anchor:
            self._anchored[event.anchor] = value, 1
        if waiting:
            container, path, _ = self._stack[-1]
            if value in container:
                raise _refused(f"the key '{value}' stands twice in one mapping", event)
            self._keys[-1] = value
            container[value] = None
            self.places[(*path, value)] = _at(event.start_mark)
        else:
            self._put(value, event)

    def _open(self, container: Any, event: yaml.CollectionStartEvent) -> None:
        self._count()
        if len(self._stack) >= MOST_DEPTH:
            raise _refused("the body is nested too deeply", event)
        if event.tag not in (None, "!"):
            raise _refused(f"the tag {event.tag} is not read here", event)
        path = self._put(container, event)
        self._stack.append((container, path, event.anchor))
        self._sizes.append(1)

    def _close(self) -> None:
        container, _, anchor = self._stack.pop()
        size = self._sizes.pop()
        self._sizes[-1] += size
        if anchor:
            self._anchored[anchor] = container, size

    def _put(self, value: Any, event: yaml.Event) -> Path:
        """Give a finished or just opened value to the container it stands in; returns its path."""
        if not self._stack:
            self._value = value
            self.places.setdefault((), _at(event.start_mark))
            return ()
        container, path, _ = self._stack[-1]
        if isinstance(container, list):
            container.append(value)
            path = (*path, len(container) - 1)
            self.places[path] = _at(event.start_mark)
            return path
        key, self._keys[-1] = self._keys[-1], None
        if key is None:
            raise _refused("a key of a mapping must be text", event)
        container[key] = value
        return (*path, key)

    def _count(self) -> None:
        self._nodes += 1
        self._sizes[-1] += 1
        if self._nodes > MOST_NODES:
            raise Shapeless(f"the body holds more than {MOST_NODES} values")


def _plain(event: yaml.ScalarEvent) -> Any:
    """The value of a scalar: only one without quotes and tag may be other than text."""
    if event.tag not in (None, "!", _TEXT_TAG):
        raise _refused(f"the tag {event.tag} is not read here", event)
    text = event.value
    if event.style or event.tag:
        return text
    if text in _WORDS:
        return _WORDS[text]
    try:
        if _INTEGER.fullmatch(text):
            return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    except ValueError:
        raise _refused("a number of the body has too many digits", event) from None
    if _FLOAT.fullmatch(text):
        return float(text)
    if found := _SPECIAL.fullmatch(text):
        return float("nan") if found[3] else float(f"{found[1]}inf")
    return text


def _at(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _refused(problem: str, event: yaml.Event) -> Shapeless:
    line, column = _at(event.start_mark)
    return Shapeless(problem, line=line, column=column)
