"""One loop against servers that behave in every way a server may."""

import socket
import struct
import threading
import time
from typing import Any

import pytest

from loadtest.engine.plan import Mode
from loadtest.engine.stats import Cell
from tests.loadtest.engine.conftest import OK, answer
from tests.loadtest.engine.test_http1 import MALFORMED, WHOLE


def reset(conn: socket.socket) -> None:
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


@pytest.mark.parametrize("name", WHOLE)
def test_every_form_of_response(serve: Any, drive: Any, name: str) -> None:
    data, status, _, keep_alive = WHOLE[name]
    server = serve(answer(data, close=not keep_alive))
    done = drive(server.url, iterations=4)
    assert done.statuses == {status: 4}
    assert done.figures[Cell.BYTES_RECEIVED] == 4 * len(data)
    assert done.figures[Cell.BYTES_SENT] == sum(map(len, server.requests))
    assert len(server.requests) == 4
    assert server.connections == (1 if keep_alive else 4)


@pytest.mark.parametrize("name", ["chunks", "100 first", "length", "trailers"])
def test_a_response_in_pieces(serve: Any, drive: Any, name: str) -> None:
    data = WHOLE[name][0]

    def script(conn: socket.socket, request: bytes, number: int) -> None:
        cut = 1 + number * 7 % (len(data) - 1)
        conn.sendall(data[:cut])
        time.sleep(0.002)
        conn.sendall(data[cut:])

    done = drive(serve(script).url, iterations=12, concurrency=3)
    assert done.statuses == {200: 12}
    assert done.figures[Cell.BYTES_RECEIVED] == 12 * len(data)
    assert done.figures[Cell.DOWNLOAD_US] >= 12 * 1500


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_responses_are_errors(serve: Any, drive: Any, name: str) -> None:
    done = drive(serve(answer(MALFORMED[name], close=True)).url, iterations=2)
    assert done.statuses == {0: 2}
    assert done.faults == {"protocol": 2}


def test_statuses_are_told_apart(serve: Any, drive: Any) -> None:
    codes = [200, 404, 200, 500, 301, 200, 200, 503]

    def script(conn: socket.socket, request: bytes, number: int) -> None:
        conn.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 1\r\n\r\nx" % codes[(number - 1) % len(codes)])

    done = drive(serve(script).url, iterations=80, concurrency=4)
    assert done.statuses == {200: 40, 301: 10, 404: 10, 500: 10, 503: 10}
    assert done.figures.succeeded == 50


def test_answers_that_all_differ(serve: Any, drive: Any) -> None:
    sizes = []

    def script(conn: socket.socket, request: bytes, number: int) -> None:
        body = b"%d" % number * (number % 40)
        if number % 50 == 0:
            data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        else:
            code = 201 if number % 10 == 0 else 200
            data = b"HTTP/1.1 %d OK\r\nX-Id: %d\r\nContent-Length: %d\r\n\r\n%b" % (code, number, len(body), body)
        sizes.append(len(data))
        conn.sendall(data)

    done = drive(serve(script).url, iterations=1500, concurrency=3)
    assert done.statuses == {200: 1380, 201: 120}
    assert done.figures[Cell.BYTES_RECEIVED] == sum(sizes)
    assert sum(done.figures.latency()) == done.figures[Cell.SENT] == 1500


def test_head_has_no_body(serve: Any, drive: Any) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    assert drive(server.url, method="HEAD", iterations=5).statuses == {200: 5}
    assert server.connections == 1


def test_body_after_204_spoils_the_connection_only(serve: Any, drive: Any) -> None:
    server = serve(b"HTTP/1.1 204 No Content\r\n\r\ngarbage")
    assert drive(server.url, iterations=3).statuses == {204: 3}
    assert server.connections == 3


def test_pipelined_leftover_is_not_taken_for_the_next_answer(serve: Any, drive: Any) -> None:
    server = serve(OK + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    assert drive(server.url, iterations=3).statuses == {200: 3}
    assert server.connections == 3


def test_body_until_close(serve: Any, drive: Any) -> None:
    done = drive(serve(answer(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000, close=True)).url, iterations=3)
    assert done.statuses == {200: 3}
    assert done.figures[Cell.BYTES_RECEIVED] == 3 * 300_019


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_large_bodies(serve: Any, drive: Any, framing: str) -> None:
    body = b"x" * 3_000_000
    head = b"HTTP/1.1 200 OK\r\n"
    if framing == "length":
        data = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    else:
        data = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    started = time.perf_counter()
    done = drive(serve(data).url, iterations=20, concurrency=2)
    assert done.statuses == {200: 20}
    assert done.figures[Cell.BYTES_RECEIVED] == 20 * len(data)
    assert time.perf_counter() - started < 5  # 60 MB; some 0.1 s on a free machine


def test_a_body_beyond_the_cap_is_cut_off(serve: Any, drive: Any) -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"186a0\r\n%b\r\n" % (b"x" * 100_000) * 50

    done = drive(serve(answer(data, close=True)).url, max_body_bytes=1_000_000)
    assert done.faults == {"too_large": 1}
    assert done.figures[Cell.BYTES_RECEIVED] < 2_000_000


def test_request_bodies(serve: Any, drive: Any) -> None:
    server = serve()
    body = b"y" * 2_000_000  # does not fit the buffers of a socket
    done = drive(server.url, method="POST", body=body, iterations=3)
    assert done.statuses == {200: 3}
    assert {request.partition(b"\r\n\r\n")[2] for request in server.requests} == {body}
    assert done.figures[Cell.BYTES_SENT] == sum(map(len, server.requests))


def test_an_answer_before_the_body_was_read(drive: Any) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        conn, _ = listener.accept()
        conn.recv(100)
        conn.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        time.sleep(0.2)
        conn.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    done = drive(f"http://127.0.0.1:{listener.getsockname()[1]}/", method="POST", body=b"z" * 20_000_000)
    thread.join()
    listener.close()
    assert done.statuses == {413: 1}


def test_requests_in_turn(serve: Any, drive: Any) -> None:
    server = serve()
    variants = tuple(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n + b"" for n in range(3))
    done = drive(server.url, requests=variants, iterations=1200)
    assert done.statuses == {200: 1200}
    assert server.requests == list(variants) * 400
    assert done.figures[Cell.BYTES_SENT] == sum(map(len, server.requests))


def test_exact_iterations_and_concurrency(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        time.sleep(0.001)
        conn.sendall(OK)

    server = serve(script)
    done = drive(server.url, iterations=1003, concurrency=8)
    assert len(server.requests) == 1003
    assert server.most_busy == 8
    assert done.figures[Cell.SENT] == done.figures[Cell.RESPONSES] == 1003
    assert done.figures[Cell.PEAK] == 8
    assert sum(done.figures.latency()) == 1003
    assert done.figures[Cell.CONNECTED] == 8
    assert sum(done.figures.part("connect")) == 8


def test_constant_concurrency_ends_on_time_and_counts_all(serve: Any, drive: Any) -> None:
    server = serve()
    started = time.perf_counter()
    done = drive(server.url, mode=Mode.CONSTANT_CONCURRENCY, concurrency=4, duration_s=0.4)
    assert 0.4 <= time.perf_counter() - started < 1.5
    assert done.statuses == {200: len(server.requests)}
    assert done.figures[Cell.SENT] == len(server.requests) > 100


def test_requests_in_flight_at_the_end_may_finish(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        time.sleep(0.4)
        conn.sendall(OK)

    done = drive(serve(script).url, mode=Mode.CONSTANT_CONCURRENCY, concurrency=3, duration_s=0.1)
    assert done.statuses == {200: 3}


def test_ramp_follows_the_line(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        time.sleep(0.05)
        conn.sendall(OK)

    server = serve(script)
    drive(server.url, mode=Mode.RAMP_UP, start_concurrency=1, concurrency=10, ramp_s=0.6, duration_s=0.8)
    first = server.moments[0]
    early = sum(moment - first < 0.05 for moment in server.moments)
    late = sum(0.65 < moment - first < 0.75 for moment in server.moments)
    assert early <= 3
    assert late >= 10
    assert server.most_busy <= 10


def test_descending_ramp(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        time.sleep(0.02)
        conn.sendall(OK)

    server = serve(script)
    done = drive(server.url, mode=Mode.RAMP_UP, start_concurrency=8, concurrency=1, ramp_s=0.3, duration_s=0.6)
    first = server.moments[0]
    assert done.figures[Cell.PEAK] == 8
    assert 4 <= server.most_busy <= 8
    assert 3 <= sum(0.4 < moment - first < 0.6 for moment in server.moments) <= 12


def test_open_loop_is_exact_and_even(serve: Any, drive: Any) -> None:
    server = serve()
    done = drive(server.url, mode=Mode.CONSTANT_RPS, rate=400.0, duration_s=0.5)
    assert done.figures[Cell.SENT] == 200
    assert done.figures[Cell.DROPPED] == 0
    # On a busy machine the end of the run may cut off what the server has not read yet.
    assert done.figures[Cell.RESPONSES] <= len(server.requests) <= 200
    assert done.figures[Cell.RESPONSES] >= 100
    offsets = [moment - server.moments[0] - n / 400 for n, moment in enumerate(server.moments)]
    assert sorted(map(abs, offsets))[len(offsets) // 2] < 0.05  # coarse, for the same reason
    assert sum(done.figures.part("queue")) == done.figures[Cell.RESPONSES]


def test_latency_counts_from_the_moment_a_request_was_due(serve: Any, drive: Any) -> None:
    stalled = []

    def script(conn: socket.socket, request: bytes, number: int) -> None:
        if number == 20:
            stalled.append(time.perf_counter())
        if stalled and (left := stalled[0] + 0.3 - time.perf_counter()) > 0:
            time.sleep(left)  # nobody is answered while the server stands still
        conn.sendall(OK)

    done = drive(serve(script).url, mode=Mode.CONSTANT_RPS, rate=200.0, duration_s=1.0)
    slow = sum(done.figures.latency()[2048:])
    assert done.figures[Cell.SENT] == 200
    assert slow >= 50  # all 60 requests due within the stall, not one for each connection


def test_sent_and_dropped_add_up(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        time.sleep(0.1)
        conn.sendall(OK)

    server = serve(script)
    done = drive(server.url, mode=Mode.CONSTANT_RPS, rate=300.5, duration_s=0.7, max_in_flight=5)
    figures = done.figures
    assert figures[Cell.SENT] + figures[Cell.DROPPED] == 210
    assert figures[Cell.DROPPED] > 100
    assert figures[Cell.PEAK] == 5
    assert server.most_busy <= 5


def test_open_loop_ends_on_time_whatever_is_outstanding(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        time.sleep(3)

    started = time.perf_counter()
    done = drive(serve(script).url, mode=Mode.CONSTANT_RPS, rate=20.0, duration_s=0.3)
    assert time.perf_counter() - started < 1.5
    assert done.figures[Cell.SENT] == 6
    assert done.faults == {"cancelled": 6}


def test_slow_drip_ends_with_the_timeout(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            conn.sendall(b"x")
            time.sleep(0.02)

    started = time.perf_counter()
    done = drive(serve(script).url, timeout_s=0.3)
    assert done.faults == {"timeout": 1}
    assert 0.3 <= time.perf_counter() - started < 1.0


def test_silence_ends_with_the_timeout(serve: Any, drive: Any) -> None:
    done = drive(serve(lambda *_: time.sleep(1)).url, iterations=4, concurrency=4, timeout_s=0.2)
    assert done.faults == {"timeout": 4}
    assert done.figures[Cell.RESPONSES] == 0
    assert sum(done.figures.latency()) == 0


def test_connection_refused(drive: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = drive(f"http://127.0.0.1:{port}/", iterations=5, concurrency=2)
    assert done.faults == {"connect": 5}


def test_the_next_address_is_tried(serve: Any, drive: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    server = serve()
    done = drive(server.url, addresses=(("127.0.0.1", closed), ("127.0.0.1", server.port)), iterations=5)
    assert done.statuses == {0: 1, 200: 4}


def test_close_without_an_answer(serve: Any, drive: Any) -> None:
    done = drive(serve(lambda *_: False).url, iterations=3)
    assert done.faults == {"reset": 3}
    assert done.figures[Cell.RETRIED] == 0


def test_reset_without_an_answer(serve: Any, drive: Any) -> None:
    assert drive(serve(lambda conn, *_: reset(conn)).url, iterations=3).faults == {"reset": 3}


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\nCont", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal"])
def test_close_within_an_answer(serve: Any, drive: Any, data: bytes) -> None:
    assert drive(serve(answer(data, close=True)).url, iterations=3).faults == {"truncated": 3}


@pytest.mark.parametrize(("method", "faults"), [("GET", {}), ("PUT", {}), ("POST", {"reset": 5})])
def test_a_kept_connection_closed_meanwhile_is_retried_if_safe(
    serve: Any, drive: Any, method: str, faults: dict[str, int]
) -> None:
    served: dict[socket.socket, int] = {}

    def script(conn: socket.socket, request: bytes, number: int) -> bool:
        served[conn] = served.get(conn, 0) + 1
        if served[conn] == 2:
            return False  # it took the request, and gives up keeping alive without a word
        conn.sendall(OK)
        return True

    done = drive(serve(script).url, method=method, iterations=10)
    assert done.faults == faults
    assert done.figures[Cell.SENT] == 10
    assert done.figures[Cell.RETRIED] == (9 if not faults else 0)


def test_half_closed_after_the_answer(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        conn.sendall(OK)
        conn.shutdown(socket.SHUT_WR)

    done = drive(serve(script).url, iterations=5)
    assert done.statuses == {200: 5}


def test_idle_connections_closed_by_the_server(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> bool:
        conn.sendall(OK)
        time.sleep(0.01)
        return False

    done = drive(serve(script).url, mode=Mode.CONSTANT_RPS, rate=20.0, duration_s=0.5)
    assert done.statuses == {200: 10}
    assert done.figures[Cell.RETRIED] <= 2  # a request may cross the end of its connection


def test_ipv6(serve: Any, drive: Any) -> None:
    assert drive(serve(family=socket.AF_INET6).url, iterations=5).statuses == {200: 5}


def test_a_stop_is_followed_at_once(serve: Any, drive: Any) -> None:
    started = time.perf_counter()
    done = drive(
        serve(lambda *_: time.sleep(3)).url,
        mode=Mode.CONSTANT_CONCURRENCY,
        duration_s=60.0,
        stop=lambda: time.perf_counter() - started > 0.2,
    )
    assert time.perf_counter() - started < 1.0
    assert done.figures[Cell.SENT] == 1
    assert done.faults == {"cancelled": 1}


def test_a_name_that_does_not_resolve_fails_every_request(drive: Any) -> None:
    done = drive("http://nowhere.invalid/", addresses=(), unresolved="Name not known", iterations=5, concurrency=2)
    assert done.statuses == {0: 5}
    assert done.faults == {"dns": 5}
