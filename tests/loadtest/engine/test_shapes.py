"""Shapes of heads: what is recognised without parsing means what parsing says."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.engine import http1
from loadtest.engine.http1 import CHUNKED, Heads, ProtocolError, parse_head
from loadtest.engine.shapes import learn

OK = b"HTTP/1.1 200 OK\r\n"
BEFORE = OK + b"Date: Mon, 01\r\nContent-Length: 5\r\nX-Id: abc"


def shape_of(one: bytes, other: bytes, *, bodiless: bool = False) -> Any:
    status, length, keep_alive = parse_head(one, bodiless=bodiless)
    return learn(one, other, (status, keep_alive), length, bodiless=bodiless)


def test_values_may_differ() -> None:
    shape = shape_of(BEFORE, OK + b"Date: Tue, 02\r\nContent-Length: 12\r\nX-Id: d")
    head = OK + b"Date: \r\nContent-Length: 7\r\nX-Id: something longer"
    assert shape.match(head + b"\r\n\r\n1234567") == len(head) + 4 + 7
    assert shape.found == (200, True)


@pytest.mark.parametrize(
    "head",
    [
        OK + b"Date: x\r\nContent-Length: 7\r\nX-Id: a\r\nConnection: close",
        OK + b"Date: x\r\nConnection: close\r\nContent-Length: 7\r\nX-Id: a",
        OK + b"Date: x\r\nContent-Length: 7, 8\r\nX-Id: a",
        OK + b"Date: x\r\nContent-Length: -7\r\nX-Id: a",
        OK + b"Date: x\r\nContent-Length:  7\r\nX-Id: a",
        OK + b"Date: x\r\nContent-Length: \r\nX-Id: a",
        OK + b"Date: x\r\nContent-Length: " + b"9" * 30 + b"\r\nX-Id: a",
        OK + b"Date: x\r\nContent-Length: 7\r\nY-Id: a",
        b"HTTP/1.1 201 OK\r\nDate: x\r\nContent-Length: 7\r\nX-Id: a",
        b"HTTP/1.0 200 OK\r\nDate: x\r\nContent-Length: 7\r\nX-Id: a",
        b"",
    ],
)
def test_anything_else_is_parsed(head: bytes) -> None:
    shape = shape_of(BEFORE, OK + b"Date: Tue, 02\r\nContent-Length: 12\r\nX-Id: d")
    data = head + b"\r\n\r\n1234567"
    assert all(shape.match(data[:cut]) == -1 for cut in range(len(data) + 1))


@pytest.mark.parametrize(
    "other",
    [
        OK + b"Date: Mon, 01\r\nContent-Length: 5",
        OK + b"Date: Mon, 01\r\nContent-Length: 5\r\nY-Id: abc",
        OK + b"Date: Mon, 01\r\nContent-Length: 5\r\nConnection: close",
        OK.replace(b"200", b"201") + b"Date: Mon, 01\r\nContent-Length: 5\r\nX-Id: abc",
    ],
)
def test_no_shape_of_heads_that_differ_in_more(other: bytes) -> None:
    assert shape_of(BEFORE, other) is None


def test_framing_is_no_hole() -> None:
    closing = OK + b"Content-Length: 5\r\nConnection: keep-alive"
    assert shape_of(closing, OK + b"Content-Length: 5\r\nConnection: upgrade") is None
    chunked = OK + b"Transfer-Encoding: chunked\r\nX-Id: 1"
    assert shape_of(chunked, OK + b"Transfer-Encoding: gzip, chunked\r\nX-Id: 1") is None
    shape = shape_of(chunked, chunked[:-1] + b"2")
    assert (shape.length, shape.match(chunked + b"\r\n\r\n0\r\n\r\n")) == (CHUNKED, len(chunked) + 4)


def test_lengths_say_nothing_where_there_is_no_body() -> None:
    shape = shape_of(BEFORE, BEFORE.replace(b": 5", b": 500"), bodiless=True)
    assert shape.match(BEFORE + b"\r\n\r\n") == len(BEFORE) + 4


NAMES = (
    b"Date",
    b"X-Id",
    b"Content-Length",
    b"content-length",
    b"Connection",
    b"Transfer-Encoding",
    b"Content-Lengths",
)
VALUES = (
    b" 1",
    b" 2",
    b"1",
    b" 12 ",
    b" close",
    b" keep-alive",
    b" chunked",
    b" gzip, chunked",
    b" x\ny",
    b"",
    b" a: b",
)
LINES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), min_size=1, max_size=4)
BODIES = st.sampled_from([b"", b"1", b"12", b"0\r\n\r\n", b"1\r\nx\r\n0\r\n\r\n", b"123456789012"])


def head_of(lines: list[tuple[bytes, bytes]]) -> bytes:
    return OK[:-2] + b"".join(b"\r\n%b:%b" % line for line in lines)


@settings(max_examples=600, deadline=None)
@given(lines=LINES, values=st.lists(st.lists(st.sampled_from(VALUES), min_size=4, max_size=4), max_size=6), body=BODIES)
def test_with_shapes_as_without(lines: list[tuple[bytes, bytes]], values: list[list[bytes]], body: bytes) -> None:
    """Heads of the same names and other values, one after the other: what was learnt changes no answer."""
    heads = [head_of(lines)] + [head_of([(name, row[i]) for i, (name, _) in enumerate(lines)]) for row in values]
    learning = Heads(bodiless=False)
    for head in [*heads, *heads]:
        data = head + b"\r\n\r\n" + body
        learning._learn_ns = 0  # learn from every one
        assert outcome(learning, data) == outcome(Heads(bodiless=False), data)


def outcome(heads: Heads, data: bytes) -> Any:
    try:
        return heads.look(data)
    except ProtocolError:
        return ProtocolError


def test_few_shapes_are_kept_and_learning_is_rare() -> None:
    heads = Heads(bodiless=False)
    for n in range(50):
        heads._learn_ns = 0
        heads.look(OK + b"X-%d: 1\r\nContent-Length: 0\r\n\r\n" % (n // 2))
    assert len(heads._shapes) == http1.SHAPES
