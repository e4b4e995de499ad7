"""Requests that differ each time: a template becomes a function that makes the next one."""

from collections.abc import Callable, Sequence
from itertools import cycle

from loadtest.engine.dynamic import GENERATORS, LENGTH, Template

END_OF_HEAD = b"\r\n\r\n"
Maker = Callable[[], bytes]


def endless(requests: Sequence[bytes | Template]) -> Maker:
    """A function that gives one request after the other, over and over. Templates are drawn anew each time."""
    plain = [request for request in requests if isinstance(request, bytes)]
    if len(plain) == len(requests):
        return cycle(plain).__next__
    makers = [renderer(request) if isinstance(request, tuple) else _same(request) for request in requests]
    following = cycle(makers).__next__
    return makers[0] if len(makers) == 1 else lambda: following()()


def _same(request: bytes) -> Maker:
    return lambda: request


def renderer(template: Template) -> Maker:
    """A function that gives what `dynamic.draw` gives. Made once, so that each request costs one format and no more."""
    head, body = _halves(template)
    if LENGTH not in head:
        return _formatter((*head, *body))
    place = head.index(LENGTH)
    text = _text(head[:place]) + b"%d" + _text(head[place + 1 :]) + b"%b"
    before, after, draw = _makers(head[:place]), _makers(head[place + 1 :]), _formatter(body)
    if not before and not after:
        return lambda: text % (len(drawn := draw()), drawn)

    def with_values() -> bytes:
        drawn = draw()
        return text % (*[make().encode() for make in before], len(drawn), *[make().encode() for make in after], drawn)

    return with_values


def _halves(template: Template) -> tuple[Template, Template]:
    """The parts up to the empty line, and the parts of the body."""
    for index, part in enumerate(template):
        if isinstance(part, bytes) and END_OF_HEAD in part:
            end = part.index(END_OF_HEAD) + len(END_OF_HEAD)
            return (*template[:index], part[:end]), (part[end:], *template[index + 1 :])
    return template, ()


def _text(parts: Template) -> bytes:
    return b"".join(part.replace(b"%", b"%%") if isinstance(part, bytes) else b"%b" for part in parts)


def _makers(parts: Template) -> list[Callable[[], str]]:
    return [GENERATORS[part] for part in parts if isinstance(part, str)]


def _formatter(parts: Template) -> Maker:
    text, makers = _text(parts), _makers(parts)
    if not makers:
        return _same(text % ())
    if len(makers) == 1:
        [only] = makers
        return lambda: text % only().encode()
    if len(makers) == 2:
        one, other = makers
        return lambda: text % (one().encode(), other().encode())
    return lambda: text % tuple([make().encode() for make in makers])
