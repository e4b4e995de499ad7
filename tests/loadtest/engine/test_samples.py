"""The choice of exchanges: fair, bounded, the same from a whole as from its parts."""

import json
from typing import Any

import pytest

from loadtest.engine.capture import NEVER, Turn
from loadtest.engine.exchange import parse
from loadtest.engine.http1 import ProtocolError
from loadtest.engine.samples import Reservoir, Samples
from tests.loadtest.engine.test_http1 import WHOLE


def facts(n: int, **more: Any) -> dict[str, Any]:
    return {"at": n, "number": n, "status": 200, "totalUs": 5, **more}


def numbers(reservoir: Reservoir) -> list[int]:
    return [kept["number"] for kept, _ in reservoir.items()]


def test_fair_and_bounded() -> None:
    chosen = [0] * 100
    for _ in range(400):
        reservoir = Reservoir(10)
        for n in range(100):
            reservoir.offer((facts(n), b""))
        assert len(numbers(reservoir)) == 10
        assert numbers(reservoir) == sorted(numbers(reservoir))
        for n in numbers(reservoir):
            chosen[n] += 1
    assert sum(chosen[:50]) > 1600  # 2,000 expected; 12 standard deviations below
    assert sum(chosen[50:]) > 1600


def test_fair_over_a_run_that_is_thinned_on_the_way() -> None:
    """Four times as many kept from the first half of the run as it deserves: the weights make up for it."""
    early = 0
    for _ in range(200):
        turn, reservoir = Turn(1, 50), Reservoir(20)
        for n in range(1, 801):
            if weight := turn.take(n):
                reservoir.offer((facts(n), b""), weight)
        assert reservoir.seen >= 750
        early += sum(n <= 400 for n in numbers(reservoir))
    assert 1600 < early < 2400  # 2,000 expected


@pytest.mark.parametrize(("every", "most", "kept"), [(1, 10, [1, 2, 3]), (100, 10, [1, 101, 201]), (0, 10, [])])
def test_whose_turn_it_is(every: int, most: int, kept: list[int]) -> None:
    turn = Turn(every, most)
    assert [n for n in range(1, 1000) if turn.take(n)][:3] == kept
    assert every or turn.next == NEVER


def test_turns_get_rarer() -> None:
    turn = Turn(1, 1000)
    assert 9_000 < sum(bool(turn.take(n)) for n in range(1, 1_000_001)) < 11_000


def test_memory_is_bounded() -> None:
    reservoir = Reservoir(1_000_000, max_bytes=200_000)
    for n in range(500):
        reservoir.offer((facts(n), b"x" * 1000))
    assert len(reservoir) == 100
    assert sum(n >= 250 for n in numbers(reservoir)) > 20
    assert reservoir.seen == 500


def test_parts_are_put_together_from_what_they_wrote_down() -> None:
    parts = []
    for part in range(2):
        samples = Samples(responses=10)
        for n in range(part, 100, 2):
            samples.offer(facts(n, kinds={"response": 1, "sample": 1}), b"%d" % n)
        samples.warn("told by all")
        parts.append(json.loads(json.dumps(samples.dump())))
    merged = Samples.merge(parts)
    assert merged.warnings == ["told by all"]
    assert len(merged.responses) == 10
    assert all(payload == b"%d" % kept["number"] for kept, payload in merged.responses)
    assert (merged.kinds["sample"].seen, len(merged.kinds["sample"])) == (100, 100)
    assert Samples.load(parts[0]).dump() == parts[0]


@pytest.mark.parametrize("name", WHOLE)
def test_a_kept_response_is_read(name: str) -> None:
    data, status, length, _ = WHOLE[name]
    exchange = parse(data, size=len(data))
    assert (exchange.status, exchange.truncated) == (status, False)
    assert len(exchange.body) == (0 if "gzip" in name else length)  # that one holds the beginning of a stream only


def test_what_was_cut_is_told() -> None:
    data = b"HTTP/1.1 200 Fine\r\nX-A: 1\r\nx-a: b\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000
    exchange = parse(data, size=len(data))
    assert (exchange.reason, exchange.headers[:2]) == ("Fine", (("X-A", "1"), ("x-a", "b")))
    assert (len(exchange.body), exchange.truncated) == (65_536, True)
    assert parse(data[:100], size=len(data)).truncated
    with pytest.raises(ProtocolError):
        parse(data[:20], size=len(data))


def test_compressed_and_chunked_bodies_are_unpacked() -> None:
    import gzip

    body = gzip.compress(b"hello world" * 10)
    chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (10, body[:10], len(body) - 10, body[10:])
    data = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert parse(data, size=len(data)).body == b"hello world" * 10
    assert b"hello world".startswith(parse(data[:-20], size=len(data)).body[:11])
