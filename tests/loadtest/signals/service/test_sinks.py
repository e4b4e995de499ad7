"""Where the output goes, and what is counted when it does not get there (contract: signals §6, §9.2 to §9.4)."""

import json
import queue
import socket
import struct
import threading
import time

import cramjam
import pytest

from config.outbound import Policy
from fleet.collectors.prometheus.messages import WriteRequest
from loadtest.signals.generators.emitter import Emitter
from loadtest.signals.runner.loop import Loop
from loadtest.signals.runner.wire import Figures, Launch, Start
from loadtest.signals.scenario.parsing import document
from loadtest.signals.schedule.pacing import Span
from loadtest.signals.sinks.accounts import Account
from loadtest.signals.sinks.direct import below
from loadtest.signals.sinks.making import make
from loadtest.signals.sinks.remote_write import message
from tests.support.local_server import Answer

NOW_NS = 1_790_000_000_123_000_000


class Sent:
    """Some ticks of an entry through its sink."""

    def __init__(self, sink, folder, *, ticks=4, **fields):
        generator = {"generator": {"type": "step", "step_size": 1}} if "log_generator" not in fields else {}
        entry = document(
            {"name": "lift", "rate": 1, "labels": {"car": "2"}, "sink": sink} | generator | fields
        ).entries[0]
        self.account = Account(name="lift")
        self.sink = make(entry.sink, self.account, policy=lambda: Policy(allow_loopback=True), folder=folder)
        self.emitter = Emitter(entry)
        for number in range(ticks):
            self.sink.write(self.emitter.emit(Span(number, 1, float(number), 1.0), NOW_NS))

    def end(self):
        self.sink.close()
        if thread := getattr(self.sink, "_thread", None):
            thread.join(5)
        assert self.sink.closed
        return self.account


LINES = [f'lift{{car="2"}} {n} {NOW_NS // 1_000_000 + 1000 * n}\n' for n in range(4)]


def test_http_push_cuts_by_bytes_and_flushes_the_rest(local_server, tmp_path):
    url = f"{local_server.url}/in"
    sent = Sent({"type": "http_push", "url": url, "batch_size": 60, "headers": {"X-A": "b"}}, tmp_path)
    account = sent.end()
    assert b"".join(one.body for one in local_server.requests).decode() == "".join(LINES)
    assert len(local_server.requests) == 2
    headers = local_server.requests[0].headers
    assert headers["content-type"] == "application/octet-stream" and headers["x-a"] == "b"
    assert account.last_success_ns and account.total_failures == 0


@pytest.mark.parametrize(("status", "tries"), [(401, 1), (404, 1), (429, 3), (503, 3)])
def test_what_is_tried_again(local_server, tmp_path, status, tries):
    """A wrong token is a failure, and not tried again."""
    local_server.answer("/in", Answer(status=status))
    retry = {"max_attempts": 3, "initial_backoff": "1ms", "max_backoff": "2ms"}
    account = Sent({"type": "http_push", "url": f"{local_server.url}/in", "retry": retry}, tmp_path, ticks=1).end()
    assert len(local_server.requests) == tries
    assert (account.total_failures, account.consecutive_failures, account.last_success_ns) == (1, 1, None)
    assert str(status) in account.last_fault


def test_loki_makes_a_stream_of_each_label_set(local_server, tmp_path):
    log = {"type": "template", "templates": [{"message": "belt stopped"}]}
    dynamic = [{"key": "pod", "prefix": "p-", "cardinality": 2}]
    sink = {"type": "loki", "url": local_server.url, "batch_size": 4}
    Sent(sink, tmp_path, signal_type="logs", log_generator=log, dynamic_labels=dynamic).end()
    (request,) = local_server.requests
    assert request.path == "/loki/api/v1/push"
    streams = request.json()["streams"]
    assert [one["stream"] for one in streams] == [{"car": "2", "pod": "p-0"}, {"car": "2", "pod": "p-1"}]
    assert [len(one["values"]) for one in streams] == [2, 2]
    at, line = streams[0]["values"][0]
    assert at == str(NOW_NS) and json.loads(line)["message"] == "belt stopped"


def test_remote_write(local_server, tmp_path):
    sink = {"type": "remote_write", "url": f"{local_server.url}/w", "batch_size": 3}
    Sent(sink, tmp_path, encoder={"type": "remote_write"}).end()
    first, second = local_server.requests
    assert {
        name: first.headers[name] for name in ("content-type", "content-encoding", "x-prometheus-remote-write-version")
    } == {
        "content-type": "application/x-protobuf",
        "content-encoding": "snappy",
        "x-prometheus-remote-write-version": "0.1.0",
    }
    read = WriteRequest.FromString(bytes(cramjam.snappy.decompress_raw(first.body)))
    assert [(label.name, label.value) for label in read.timeseries[0].labels] == [("__name__", "lift"), ("car", "2")]
    assert [one.samples[0].value for one in read.timeseries] == [0, 1, 2]
    assert len(WriteRequest.FromString(bytes(cramjam.snappy.decompress_raw(second.body))).timeseries) == 1


def test_a_stale_marker_keeps_its_bits(tmp_path):
    sent = Sent({"type": "memory"}, tmp_path)
    told = message(sent.emitter.stale(NOW_NS).samples).timeseries[0].samples[0]
    assert struct.pack(">d", told.value).hex() == "7ff0000000000002"
    assert told.timestamp > NOW_NS // 1_000_000


def test_tcp_connects_again(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    got = []

    def serve():
        for _ in range(2):
            peer, _ = listener.accept()
            with peer:
                got.append(peer.recv(4096).decode())

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    sent = Sent({"type": "tcp", "address": f"127.0.0.1:{listener.getsockname()[1]}"}, tmp_path, ticks=1)
    while not got:
        pass
    retry_until = 100
    while server.is_alive() and retry_until:
        sent.sink.write(sent.emitter.emit(Span(1, 1, 1.0, 1.0), NOW_NS))
        server.join(0.05)
        retry_until -= 1
    sent.end()
    listener.close()
    assert got[0] == LINES[0] and got[1].startswith(LINES[1])


def test_udp_sends_each_event_alone(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        Sent({"type": "udp", "address": f"127.0.0.1:{receiver.getsockname()[1]}"}, tmp_path).end()
        assert [receiver.recv(2048).decode() for _ in range(4)] == LINES


def test_a_file_stays_in_its_folder(tmp_path):
    Sent({"type": "file", "path": "deep/out.prom"}, tmp_path).end()
    assert (tmp_path / "deep/out.prom").read_text() == "".join(LINES)
    (tmp_path / "link").symlink_to("/tmp")
    for path in ("../x", "/etc/x", "link/x", "", "deep", "a\0b", ".", "deep/"):
        with pytest.raises(ValueError):
            below(tmp_path, path)


def test_nobody_listens(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    account = Sent({"type": "tcp", "address": f"127.0.0.1:{port}"}, tmp_path, ticks=1).end()
    assert account.total_failures == 1 and "127.0.0.1" in account.last_fault


def test_a_slow_target_costs_batches_and_not_memory(local_server, tmp_path):
    local_server.answer("/in", Answer(hang=True))
    sent = Sent({"type": "http_push", "url": f"{local_server.url}/in", "batch_size": 1}, tmp_path, ticks=1)
    sent.sink.most_waiting = 10
    sent.sink.write(sent.emitter.emit(Span(1, 1, 1.0, 1.0), NOW_NS))
    assert sent.account.total_failures == 1 and "too slow" in sent.account.last_fault


def test_a_fault_of_ours_ends_one_scenario_only(tmp_path):
    """The others go on, and the one that is over says why."""
    told = []

    class Teller:
        ready = True

        def tell(self, reports):
            told.extend((one.id, one.state, one.figures.last_sink_error) for one in reports)

    loop = Loop(queue.Queue(), Teller())
    config = document({"name": "lift", "rate": 50, "generator": {"type": "step", "step_size": 1}}).entries[0].config()
    config["sink"] = {"type": "memory"}
    launches = [Launch(id=one, batch="b", place=n, config=config, figures=Figures()) for n, one in enumerate("ab")]
    loop.obey(Start(launches=launches))
    loop._hosted["a"]._pacer = None
    end = time.monotonic() + 5
    while ("a", "finished") not in [one[:2] for one in told]:
        assert time.monotonic() < end
        loop.turn(time.monotonic())
    assert "NoneType" in next(fault for one, word, fault in told if word == "finished")
    assert list(loop._hosted) == ["b"] and loop._hosted["b"].figures.total_events
