"""Which exchanges are kept, and what is known of each."""

import socket
import time
from typing import Any

import pytest

from loadtest.engine.capture import MAX_PAYLOAD_BYTES, Ring
from loadtest.engine.exchange import parse
from loadtest.engine.plan import Sampling
from loadtest.engine.stats import Cell
from tests.loadtest.engine.conftest import OK


def test_parts_add_up_to_the_latency(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        time.sleep(0.01)
        conn.sendall(OK[:-1])
        time.sleep(0.02)
        conn.sendall(OK[-1:])

    done = drive(serve(script).url, iterations=3, sampling=Sampling(every=1))
    taken = [facts for facts, _ in Ring(done.page).take()]
    assert len(taken) == 3
    for facts in taken:
        names = ("queueWaitUs", "connectUs", "tlsUs", "firstByteUs", "downloadUs")
        assert abs(facts["totalUs"] - sum(facts[name] for name in names)) <= 5
        # A reader that the machine holds up sees the first byte late, never the whole early.
        assert facts["firstByteUs"] >= 9_000
        assert facts["downloadUs"] > 0
        assert facts["firstByteUs"] + facts["downloadUs"] >= 29_000
    assert taken[0]["connectUs"] > 0
    assert taken[1]["connectUs"] == 0


def kept(done: Any, kind: str) -> list[tuple[dict[str, Any], bytes]]:
    return [(facts, payload) for facts, payload in Ring(done.page).take() if kind in facts["kinds"]]


@pytest.mark.parametrize("every", [1, 7])
def test_one_in_so_many_is_kept(serve: Any, drive: Any, every: int) -> None:
    done = drive(serve(OK).url, iterations=240, concurrency=2, sampling=Sampling(every=every))
    taken = kept(done, "sample")
    assert [facts["number"] for facts, _ in taken] == list(range(1, 241, every))
    assert {payload for _, payload in taken} == {b""}


@pytest.mark.parametrize("size", [4, 30_000, 300_000])
def test_responses_for_tests_are_kept_with_their_bytes(serve: Any, drive: Any, size: int) -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, b"b" * size)
    done = drive(serve(data).url, iterations=50, concurrency=2, sampling=Sampling(responses_every=10))
    taken = kept(done, "response")
    assert len(taken) == 5
    for facts, payload in taken:
        assert facts["size"] == len(data)
        assert payload == data[:MAX_PAYLOAD_BYTES]
        assert parse(payload, size=facts["size"]).truncated == (size > 65_536)


def test_no_response_is_kept_unless_asked_for(serve: Any, drive: Any) -> None:
    done = drive(serve().url, iterations=50, sampling=Sampling(responses_every=1, max_responses=0))
    assert kept(done, "response") == []


def test_slow_responses_and_errors_are_kept(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        if number % 5 == 0:
            time.sleep(0.03)
        conn.sendall(OK if number % 7 else OK.replace(b"200", b"500"))

    done = drive(serve(script).url, iterations=35, sampling=Sampling(every=0, slow_ms=25))
    kinds = [kind for facts, _ in Ring(done.page).take() for kind in facts["kinds"]]
    assert (kinds.count("slow"), kinds.count("error")) == (7, 5)
    assert done.figures[Cell.SLOW] == 7


def test_a_failure_tells_how_far_it_came(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        conn.sendall(OK[:-1])
        time.sleep(0.5)

    [(facts, _)] = kept(drive(serve(script).url, timeout_s=0.2), "error")
    assert (facts["fault"], facts["number"]) == ("timeout", 1)
    assert facts["downloadUs"] >= 100_000
    assert facts["totalUs"] >= 200_000
    names = ("queueWaitUs", "connectUs", "tlsUs", "firstByteUs", "downloadUs")
    assert abs(facts["totalUs"] - sum(facts[name] for name in names)) <= 5


def test_thousands_of_errors_cost_no_memory(serve: Any, drive: Any) -> None:
    done = drive(serve(OK.replace(b"200", b"500")).url, iterations=15_000, concurrency=4)
    assert done.figures.statuses == {500: 15_000}
    # All of the first 1,000, every other of the next 2,000, every fourth of the next 4,000 and so on.
    assert done.figures[Cell.RING_REFUSED] + len(kept(done, "error")) == pytest.approx(4_000, abs=5)
