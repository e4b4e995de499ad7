"""The keys of `when`, each as a predicate (contract §7.1). An empty text as a value counts as not given."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loadtest.replay.matching import expressions
from loadtest.replay.spans.exchange import UNREADABLE, Exchange, split_authority
from loadtest.replay.spans.values import text

Holds = Callable[[Exchange], bool]
Seen = Callable[[Exchange], Any]
NOT_JSON, TOO_LARGE = "a body that is not JSON", f"a body of more than {expressions.LARGEST_BODY >> 20} MiB"
EXHAUSTED = f"more than {expressions.MOST_STEPS} nodes to look at"


@dataclass(frozen=True)
class Predicate:
    """One key of `when`: holds or not, and what it saw."""

    key: str  # as in `when`, a member behind a dot: "headers.accept"
    wanted: Any
    holds: Holds
    seen: Seen  # for people; None where the request has nothing of the kind


def predicates(when: Mapping[str, Any]) -> Iterator[Predicate]:
    """The predicates of a valid `when`, cheap ones first: they decide most requests."""
    for key, make in MAKERS.items():
        value = when.get(key)
        if value is None or value == "":
            continue
        yield from make(key, value)


def is_below(host: str, suffix: str) -> bool:
    """`hostSuffix`: the host itself or one below it; a suffix that begins with a dot is a plain ending."""
    if suffix.startswith("."):
        return host.endswith(suffix)
    return host == suffix or host.endswith("." + suffix)


def _text(read: Callable[[Exchange], str], fold: Callable[[str], str] = str) -> Any:
    def make(key: str, wanted: str) -> Iterator[Predicate]:
        folded = fold(wanted)
        yield Predicate(key, wanted, lambda exchange: fold(read(exchange)) == folded, lambda e: read(e) or None)

    return make


def _host(key: str, wanted: str) -> Iterator[Predicate]:
    name, port = split_authority(wanted)
    name = name.removesuffix(".")

    def holds(exchange: Exchange) -> bool:
        return exchange.host == name and (not port or split_authority(exchange.authority)[1] == port)

    yield Predicate(key, wanted, holds, _authority)


def _host_suffix(key: str, wanted: str) -> Iterator[Predicate]:
    suffix = wanted.lower().removesuffix(".")
    yield Predicate(key, wanted, lambda exchange: is_below(exchange.host, suffix), _authority)


def _not_host_suffix(key: str, wanted: list[str]) -> Iterator[Predicate]:
    suffixes = [suffix.lower().removesuffix(".") for suffix in wanted if suffix]

    def holds(exchange: Exchange) -> bool:
        return not any(is_below(exchange.host, suffix) for suffix in suffixes)

    if suffixes:
        yield Predicate(key, wanted, holds, _authority)


def _authority(exchange: Exchange) -> str | None:
    return exchange.authority or None


def _path(key: str, wanted: str) -> Iterator[Predicate]:
    whole = "?" in wanted
    yield Predicate(key, wanted, lambda e: (e.target if whole else e.path) == wanted, lambda e: e.target or None)


def _path_prefix(key: str, wanted: str) -> Iterator[Predicate]:
    whole = "?" in wanted
    yield Predicate(
        key, wanted, lambda e: (e.target if whole else e.path).startswith(wanted), lambda e: e.target or None
    )


def _headers(key: str, wanted: Mapping[str, str | list[str]]) -> Iterator[Predicate]:
    for name, values in wanted.items():
        listed = [value for value in ([values] if isinstance(values, str) else values) if value]
        yield Predicate(f"{key}.{name}", values, _header_has(name.lower(), listed), _header(name.lower()))


def _header(name: str) -> Seen:
    return lambda exchange: exchange.header_values.get(name)


def _header_has(name: str, wanted: list[str]) -> Holds:
    def holds(exchange: Exchange) -> bool:
        seen = exchange.header_values.get(name)
        if seen is None:
            return False
        parts = {seen, *(part.strip() for part in seen.split(","))}
        return all(value in parts for value in wanted)

    return holds


def _header_match(key: str, wanted: Mapping[str, str]) -> Iterator[Predicate]:
    for name, expression in wanted.items():
        yield Predicate(f"{key}.{name}", expression, _header_matches(name.lower(), expression), _header(name.lower()))


def _header_matches(name: str, expression: str) -> Holds:
    compiled = expressions.pattern(expression)

    def holds(exchange: Exchange) -> bool:
        seen = exchange.header_values.get(name)
        return seen is not None and expressions.found_in(compiled, seen)

    return holds


def _selects(path: str, accept: Callable[[Any], bool]) -> Holds:
    compiled = expressions.json_path(path)

    def holds(exchange: Exchange) -> bool:
        if not _readable(exchange):
            return False
        try:
            return any(accept(node.obj) for node in expressions.selected(compiled, exchange.body.value))
        except expressions.Exhausted:
            return False

    return holds


def _readable(exchange: Exchange) -> bool:
    body = exchange.body
    return body is not None and len(body.text) <= expressions.LARGEST_BODY and body.value is not UNREADABLE


def _selected(path: str) -> Seen:
    compiled = expressions.json_path(path)

    def seen(exchange: Exchange) -> Any:
        if exchange.body is None:
            return None
        if len(exchange.body.text) > expressions.LARGEST_BODY:
            return TOO_LARGE
        if exchange.body.value is UNREADABLE:
            return NOT_JSON
        try:
            found = [node.obj for node in expressions.selected(compiled, exchange.body.value)]
        except expressions.Exhausted:
            return EXHAUSTED
        return found[0] if len(found) == 1 else found[:10] or None

    return seen


def _body_path(key: str, wanted: str) -> Iterator[Predicate]:
    yield Predicate(key, wanted, _selects(wanted, lambda node: True), _selected(wanted))


def _body_equals(key: str, wanted: Mapping[str, Any]) -> Iterator[Predicate]:
    for path, literal in wanted.items():
        yield Predicate(f"{key}.{path}", literal, _selects(path, _equals(literal)), _selected(path))


def _equals(literal: Any) -> Callable[[Any], bool]:
    """Equality of JSON: true is not 1, while 1 is 1.0."""
    return lambda node: node == literal and isinstance(node, bool) == isinstance(literal, bool)


def _tags(key: str, wanted: Mapping[str, Any]) -> Iterator[Predicate]:
    for name, value in wanted.items():
        yield Predicate(f"{key}.{name}", value, _tag_is(name, text(value)), _tag(name))


def _tag(name: str) -> Seen:
    return lambda exchange: exchange.tags.get(name)


def _tag_is(name: str, wanted: str) -> Holds:
    return lambda exchange: name in exchange.tags and text(exchange.tags[name]) == wanted


MAKERS: dict[str, Callable[[str, Any], Iterator[Predicate]]] = {
    "direction": _text(lambda exchange: exchange.direction),
    "method": _text(lambda exchange: exchange.method, str.upper),
    "host": _host,
    "hostSuffix": _host_suffix,
    "notHostSuffix": _not_host_suffix,
    "path": _path,
    "pathPrefix": _path_prefix,
    "service": _text(lambda exchange: exchange.service),
    "headers": _headers,
    "traceTags": _tags,
    "traceTagEquals": _tags,
    "headerMatch": _header_match,
    "bodyJsonPath": _body_path,
    "bodyJsonPathEquals": _body_equals,
}
