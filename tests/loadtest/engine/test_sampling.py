"""Which exchanges are kept, and what is known of each."""

import socket
import time
from typing import Any

import pytest

from loadtest.engine.capture import Ring
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


@pytest.mark.parametrize("every", [1, 7])
def test_one_in_so_many_is_kept(serve: Any, drive: Any, every: int) -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
    done = drive(serve(data).url, iterations=700, concurrency=2, sampling=Sampling(every=every))
    taken = list(Ring(done.page).take())
    first = 1 if every > 1 else 0  # the first of a status is kept beyond its turn
    assert len(taken) == 700 // every + first
    assert {payload for _, payload in taken} == {data}


def test_slow_responses_and_errors_are_kept(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        if number % 5 == 0:
            time.sleep(0.03)
        conn.sendall(OK if number % 7 else OK.replace(b"200", b"500"))

    done = drive(serve(script).url, iterations=35, sampling=Sampling(every=0, slow_ms=25))
    kinds = [kind for facts, _ in Ring(done.page).take() for kind in facts["kinds"]]
    assert (kinds.count("slow"), kinds.count("error")) == (7, 5)
    assert done.figures[Cell.SLOW] == 7
