"""Framing of responses: the same result however the bytes are cut, and nothing but ProtocolError for nonsense."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.engine.http1 import (
    CHUNKED,
    MAX_HEAD_BYTES,
    UNTIL_CLOSE,
    Heads,
    ProtocolError,
    Response,
    TooLarge,
    Truncated,
    parse_head,
)

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

# bytes -> status, length of the body, whether the connection can be used again
WHOLE = {
    "length": (HEAD + b"Content-Length: 5\r\n\r\nhello", 200, 5, True),
    "upper case": (HEAD + b"CONTENT-LENGTH: 5\r\nCONNECTION: KEEP-ALIVE\r\n\r\nhello", 200, 5, True),
    "lower case": (HEAD + b"content-length:5\r\n\r\nhello", 200, 5, True),
    "blanks around values": (HEAD + b"Content-Length: \t 5 \t\r\n\r\nhello", 200, 5, True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, 0, True),
    "empty reason": (b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, 0, True),
    "unusual status": (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", 999, 0, True),
    "close": (HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", 200, 2, False),
    "close in a list": (HEAD + b"Connection: x-hop, Close\r\nContent-Length: 2\r\n\r\nok", 200, 2, False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 2, False),
    "HTTP/1.0 keep-alive": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, 2, True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, 0, True),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, 0, True),
    "the same length twice": (HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, 2, True),
    "100 first": (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 2\r\n\r\nok", 200, 2, True),
    "103 twice": (b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" * 2 + HEAD + b"Content-Length: 0\r\n\r\n", 200, 0, True),
    "chunks": (CHUNKS + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 200, 11, True),
    "chunk size in capitals": (CHUNKS + b"A\r\n0123456789\r\n00\r\n\r\n", 200, 10, True),
    "chunk extensions": (CHUNKS + b'5;name="va;lue" ;x\r\nhello\r\n0;last\r\n\r\n', 200, 5, True),
    "trailers": (CHUNKS + b"1\r\nx\r\n0\r\nDigest: abc\r\nX-More: 1\r\n\r\n", 200, 1, True),
    "chunk that holds its own end": (CHUNKS + b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", 200, 5, True),
    "chunked wins over length": (
        HEAD + b"Content-Length: 9\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n0\r\n\r\n",
        200,
        0,
        True,
    ),
    "gzip left alone": (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08", 200, 3, True),
    "fields that look alike": (HEAD + b"X-Content-Length: 9\r\nContent-Length: 2\r\n\r\nok", 200, 2, True),
}

MALFORMED = {
    "other protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/2 preface": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status below 100": b"HTTP/1.1 042 No\r\n\r\n",
    "negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "length with a sign": HEAD + b"Content-Length: +5\r\n\r\nhello",
    "length that is no number": HEAD + b"Content-Length: five\r\n\r\n",
    "empty length": HEAD + b"Content-Length:\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "two lengths in a list": HEAD + b"Content-Length: 1, 2\r\n\r\nab",
    "endless length": HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n",
    "bare line feed in the status line": b"HTTP/1.1 200 O\nK\r\n\r\n",
    "chunk size that is no number": CHUNKS + b"xyz\r\n",
    "chunk size with a sign": CHUNKS + b"-5\r\nhello\r\n",
    "chunk size with an underscore": CHUNKS + b"1_0\r\n",
    "chunk size in Python's spelling": CHUNKS + b"0x5\r\nhello\r\n",
    "empty chunk size": CHUNKS + b"\r\n\r\n",
    "endless chunk size": CHUNKS + b"F" * 20 + b"\r\n",
    "chunk longer than its size": CHUNKS + b"2\r\nhello\r\n0\r\n\r\n",
    "endless line of a chunk": CHUNKS + b"5;" + b"x" * 20_000,
    "endless trailer": CHUNKS + b"0\r\n" + b"A: b\r\n" * 2_000,
    "flood of lengths": HEAD + b"Content-Length: 1\r\n" * 3_000 + b"Content-Length: 2\r\n\r\n",
    "flood of headers": HEAD + b"A: b\r\n" * (MAX_HEAD_BYTES // 6 + 1),
    "flood of interim responses": b"HTTP/1.1 100 Continue\r\n\r\n" * 100,
    "switching protocols": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
}


def response(*, bodiless: bool = False, max_body: int = 1 << 20) -> Response:
    return Response(Heads(bodiless=bodiless), max_body=max_body)


@pytest.mark.parametrize("name", WHOLE)
def test_cut_at_every_byte(name: str) -> None:
    data, status, body, keep_alive = WHOLE[name]
    for cut in range(len(data)):
        parsed = response()
        assert not parsed.feed(data[:cut])
        assert parsed.feed(data[cut:])
        assert (parsed.status, parsed.body, parsed.keep_alive) == (status, body, keep_alive)


@pytest.mark.parametrize("name", WHOLE)
def test_one_byte_at_a_time(name: str) -> None:
    data, status, body, keep_alive = WHOLE[name]
    parsed = response()
    assert [parsed.feed(data[i : i + 1]) for i in range(len(data))] == [False] * (len(data) - 1) + [True]
    assert (parsed.status, parsed.body, parsed.keep_alive) == (status, body, keep_alive)


@pytest.mark.parametrize("name", WHOLE)
def test_what_follows_nobody_asked_for(name: str) -> None:
    data, status, body, _ = WHOLE[name]
    parsed = response()
    assert parsed.feed(data + b"more")
    assert (parsed.status, parsed.body, parsed.keep_alive) == (status, body, False)


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    data = MALFORMED[name]
    with pytest.raises(ProtocolError):
        response().feed(data)
    parsed = response()
    with pytest.raises(ProtocolError):
        for i in range(0, len(data), 3):
            parsed.feed(data[i : i + 3])


@pytest.mark.parametrize(("data", "length"), [(b"Content-Length: 100", 0), (b"Transfer-Encoding: chunked", 0)])
def test_head_requests_have_no_body(data: bytes, length: int) -> None:
    parsed = response(bodiless=True)
    assert parsed.feed(HEAD + data + b"\r\n\r\n")
    assert (parsed.status, parsed.body, parsed.keep_alive) == (200, length, True)


def test_body_until_the_connection_ends() -> None:
    parsed = response()
    assert not parsed.feed(HEAD + b"\r\nsome")
    assert not parsed.feed(b" more")
    parsed.end()
    assert (parsed.status, parsed.body, parsed.keep_alive) == (200, 9, False)


@pytest.mark.parametrize("data", [HEAD, HEAD + b"Content-Length: 5\r\n\r\nhell", CHUNKS + b"5\r\nhello\r\n"])
def test_truncated(data: bytes) -> None:
    parsed = response()
    assert not parsed.feed(data)
    with pytest.raises(Truncated):
        parsed.end()


@pytest.mark.parametrize(
    "data",
    [HEAD + b"Content-Length: 11\r\n\r\n", HEAD + b"\r\n" + b"x" * 11, CHUNKS + b"B\r\n" + b"x" * 11],
)
def test_too_large(data: bytes) -> None:
    with pytest.raises(TooLarge):
        response(max_body=10).feed(data)


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        (b"", UNTIL_CLOSE),
        (b"\r\ntransfer-encoding: chunked, gzip", UNTIL_CLOSE),
        (b"\r\ntransfer-encoding:chunked", CHUNKED),
    ],
)
def test_length_not_told(fields: bytes, length: int) -> None:
    assert parse_head(b"HTTP/1.1 200 OK" + fields)[1] == length


def test_bulk_can_be_skipped_or_fed() -> None:
    parsed = response()
    assert not parsed.feed(CHUNKS + b"100000\r\n" + b"x" * 10)
    assert parsed.bulk == 0x100000 - 10
    assert not parsed.skip(parsed.bulk)
    assert parsed.bulk == 0
    assert parsed.feed(b"\r\n0\r\n\r\n")
    assert parsed.body == 0x100000


def test_keeps_the_first_bytes_only() -> None:
    parsed = response()
    parsed.keep(60, 7)
    data = HEAD + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000
    for i in range(0, len(data), 7):
        parsed.feed(data[i : i + 7])
    assert parsed.sample == (data[:60], len(data), 7)


def test_memory_of_heads_is_bounded() -> None:
    heads = Heads(bodiless=False)
    for i in range(5_000):
        assert heads.parse(HEAD + b"X-Id: %d\r\nContent-Length: 3" % i) == (200, 3, True)
    assert len(heads._known) <= 64


@st.composite
def chunked_body(draw: st.DrawFn) -> tuple[bytes, int]:
    chunks = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=6))
    data = b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return data + b"0\r\n\r\n", sum(map(len, chunks))


@settings(max_examples=150, deadline=None)
@given(body=chunked_body(), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_chunks_cut_anywhere(body: tuple[bytes, int], cuts: list[int]) -> None:
    data, size = CHUNKS + body[0], body[1]
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    parsed = response()
    done = [parsed.feed(data[a:b]) for a, b in zip(places, places[1:], strict=False)]
    assert done == [False] * (len(done) - 1) + [True]
    assert (parsed.body, parsed.keep_alive) == (size, True)


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from([b"", b"HTTP/1.1 ", HEAD, HEAD + b"Content-Length: ", CHUNKS, CHUNKS + b"3\r\nabc\r\n"]),
    pieces=st.lists(st.one_of(st.binary(max_size=50), st.sampled_from([b"\r\n", b"\r\n\r\n", b"0", b":"])), max_size=8),
)
def test_nonsense_raises_nothing_but_protocol_errors(start: bytes, pieces: list[bytes]) -> None:
    parsed = response()
    try:
        for piece in [start, *pieces]:
            if parsed.feed(piece):
                break
        else:
            parsed.end()
    except ProtocolError:
        return
    assert 100 <= parsed.status <= 999
    assert parsed.body >= 0
