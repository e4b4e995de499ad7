"""Scenarios over HTTP, made by a real runner (contract: signals §2 to §7)."""

import json
import os
import signal
import socket
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from loadtest.signals.running import dispatch, state
from loadtest.signals.running.models import Chunk, Scenario
from tests.loadtest.signals.service.conftest import BASE, entry
from tests.support.local_server import Answer

pytestmark = pytest.mark.django_db


def test_a_scenario_runs_counts_and_ends(operator, start, worker):
    one = start(duration="300ms", rate=100)
    made = operator.get(f"{BASE}/scenarios/{one}").json()
    assert (made["status"], made["state"], made["stats"]["total_events"]) == ("running", "pending", 0)
    row = worker.until_finished(one)
    assert 29 <= row.count("total_events") <= 31
    stats = operator.get(f"{BASE}/scenarios/{one}/stats").json()
    assert stats["state"] == "finished" and stats["target_rate"] == 100 and stats["current_rate"] == 0.0
    assert stats["bytes_emitted"] > 30 * stats["total_events"] and stats["errors"] == 0 and not stats["degraded"]
    assert abs(stats["last_successful_write_at"] - time.time_ns()) < 60e9
    later = operator.get(f"{BASE}/scenarios/{one}/stats").json()
    assert later["uptime_secs"] == stats["uptime_secs"] > 0.3
    listed = operator.get(f"{BASE}/scenarios/").json()["scenarios"]
    assert [(row["id"], row["status"]) for row in listed] == [(one, "stopped")]


def test_stop_and_delete(operator, start, worker):
    one = start()
    worker.until(lambda: Scenario.objects.get(pk=one).count("total_events"))
    assert Scenario.objects.get(pk=one).state == "running"
    Scenario.objects.filter(pk=one).update(stop_requested_at=timezone.now())
    worker.until_finished(one)
    gone = operator.delete(f"{BASE}/scenarios/{one}").json()
    assert gone["id"] == one and gone["status"] == "stopped" and gone["total_events"] > 0
    again = operator.delete(f"{BASE}/scenarios/{one}")
    assert again.status_code == 404 and one in again.json()["detail"] and again.json()["error"] == "not_found"


def test_delete_before_a_runner_took_it(operator, start):
    one = start()
    assert operator.delete(f"{BASE}/scenarios/{one}/").json() == {"id": one, "status": "stopped", "total_events": 0}
    assert not Scenario.objects.exists()


def test_drain_gives_each_line_once(operator, start, worker):
    one = start(rate=2000, duration="700ms")
    url = f"{BASE}/scenarios/{one}/metrics"
    assert operator.get(url).status_code == 204
    empty = operator.get(url, headers={"X-Prometheus-Scrape-Timeout-Seconds": "10"})
    assert (empty.status_code, empty.content) == (200, b"")
    worker.until_finished(one)
    assert 1000 <= sum(Chunk.objects.values_list("count", flat=True)) < 2000
    answer = operator.get(url + "?limit=3")
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.content.decode().splitlines()
    assert len(lines) == 3 and all(line.startswith('lift_speed{car="2"} ') for line in lines)
    stamps = [int(line.rpartition(" ")[2]) for line in lines]
    assert stamps == sorted(stamps) and stamps[2] - stamps[0] <= 2
    assert operator.get(url).status_code == 204 and not Chunk.objects.exists()


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "limit=1.5", "limit=", "mode=tail"])
def test_bad_scrape_parameters(operator, start, query):
    answer = operator.get(f"{BASE}/scenarios/{start()}/metrics?{query}")
    assert answer.status_code == 400 and answer.json()["error"] == "bad_request"


def test_snapshots(operator, worker):
    body = {
        "version": 2,
        "kind": "runnable",
        "defaults": {"rate": 50, "duration": "200ms", "sink": {"type": "memory"}},
        "scenarios": [
            {"name": "cars", "generator": {"type": "constant", "value": 2}, "labels": {"b": "1"}, "help": "How many"},
            {
                "name": "cars",
                "generator": {"type": "constant", "value": 3},
                "labels": {"b": "2"},
                "metric_type": "counter",
            },
            {"name": "belt", "generator": {"type": "constant", "value": 4.5}},
        ],
    }
    assert operator.get(f"{BASE}/scenarios/metrics").content == b""
    made = operator.post(f"{BASE}/scenarios", body).json()["scenarios"]
    for one in made:
        worker.until_finished(one["id"])
    merged = operator.get(f"{BASE}/scenarios/metrics").content.decode()
    assert merged == (
        '# TYPE belt gauge\nbelt 4.5\n# HELP cars How many\n# TYPE cars untyped\ncars{b="1"} 2\ncars{b="2"} 3\n'
    )
    one = operator.get(f"{BASE}/scenarios/{made[1]['id']}/metrics?mode=snapshot").content.decode()
    assert one == '# TYPE cars counter\ncars{b="2"} 3\n'
    chosen = operator.get(f"{BASE}/scenarios/metrics?label=b:2&include_state=finished,running").content.decode()
    assert chosen == one
    assert operator.get(f"{BASE}/scenarios/metrics?include_state=held").content == b""
    for query in ("label=b", "include_state=", "include_state=running,x", "label=%00:1"):
        assert operator.get(f"{BASE}/scenarios/metrics?{query}").status_code == 400, query


def test_what_a_lost_runner_had_goes_on_or_ends(operator, start, worker, settings):
    one, two = start(), start(duration="10s")
    worker.until(lambda: Scenario.objects.filter(state="running").count() == 2)
    lost = timezone.now() + timedelta(seconds=16)
    began = Scenario.objects.get(pk=two).began_at
    Scenario.objects.filter(pk=two).update(began_at=began - timedelta(seconds=11))
    dispatch.tick(now=lost)
    first, second = Scenario.objects.get(pk=one), Scenario.objects.get(pk=two)
    assert (first.state, first.runner) == ("pending", None)
    assert second.state == "finished" and second.figures["last_sink_error"] == "runner lost"
    before = first.count("total_events")
    worker.host.runner = "another"  # a runner that lost its rows writes nothing into them
    worker.until(lambda: Scenario.objects.get(pk=one).restarts == 1)
    settings.SIGNALS_RESUME = False
    state.release(Scenario.objects.filter(pk=one), now=lost)
    last = Scenario.objects.get(pk=one)
    assert last.is_over and last.figures["last_sink_error"] == "runner lost" and last.count("total_events") >= before


def test_the_death_of_a_runner_is_noticed(start, worker):
    one = start()
    worker.until(lambda: Scenario.objects.get(pk=one).state == "running")
    os.kill(worker.child.pid, signal.SIGKILL)
    end = time.monotonic() + 5
    while worker.child.alive and time.monotonic() < end:
        worker.host.turn(worker.child)
    assert not worker.child.alive


def test_what_people_see_of_secrets(operator, start):
    one = start(sink={"type": "http_push", "url": "http://127.0.0.1:9/x?token=hush", "headers": {"X-Key": "hush-hush"}})
    answer = operator.get(f"{BASE}/scenarios/{one}")
    assert "hush" not in answer.content.decode() and answer.json()["config"]["sink"]["type"] == "http_push"
    row = Scenario.objects.get(pk=one)
    assert "hush" not in json.dumps(row.config) and "hush" not in row.plan


def test_own_figures(operator, start):
    start()
    text = operator.get(f"{BASE}/metrics").content.decode()
    assert 'pharos_signals_scenarios{state="pending"} 1\n' in text and "pharos_signals_runners 0\n" in text


def test_lists_keep_their_shape_and_order(operator):
    one = operator.post(f"{BASE}/scenarios", {"scenarios": [entry(), entry(name="other", odd=1)]})
    assert [row["name"] for row in one.json()["scenarios"]] == ["lift_speed", "other"]
    assert len(one.json()["warnings"]) == 1 and "odd" in one.json()["warnings"][0]
    assert list(operator.post(f"{BASE}/scenarios", {"scenarios": [entry()]}).json()) == ["scenarios"]


def test_a_gate_pauses_and_a_chain_starts_later(operator, worker):
    """The upstream is up for 300 ms and down for 400: the gated entry sends only then, and holds a value after."""
    gate = {"while": {"ref": "belt", "op": ">", "value": 0.5}, "delay": {"close": {"duration": "1ms", "snap_to": 7}}}
    flap = {"type": "flap", "up_duration": "300ms", "down_duration": "400ms"}
    body = {
        "version": 2, "kind": "runnable", "defaults": {"rate": 50, "duration": "600ms", "sink": {"type": "memory"}},
        "scenarios": [
            {"id": "belt", "name": "belt", "generator": flap},
            {"name": "gated", "generator": {"type": "constant", "value": 1}, **gate},
            {"name": "later", "generator": {"type": "constant", "value": 2},
             "after": {"ref": "belt", "op": "<", "value": 1}},
        ],
    }  # fmt: skip
    belt, gated, later = (one["id"] for one in operator.post(f"{BASE}/scenarios", body).json()["scenarios"])
    worker.until(lambda: Scenario.objects.get(pk=gated).state == "held")
    assert Scenario.objects.get(pk=belt).state == "running"
    assert operator.get(f"{BASE}/scenarios/{gated}/stats").json()["current_rate"] == 0.0
    for one in (belt, gated, later):
        worker.until_finished(one)
    counted = {row.name: row.count("total_events") for row in Scenario.objects.all()}
    assert counted["belt"] in (30, 31) and 5 <= counted["gated"] <= 25 and counted["later"] in (30, 31), counted
    assert operator.get(f"{BASE}/scenarios/{gated}/metrics?mode=snapshot").content == b"# TYPE gated gauge\ngated 7\n"


def test_a_sink_that_fails(operator, start, worker):
    """With `warn` it goes on and is degraded, with `fail` it is over; neither vanishes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    sink = {"type": "tcp", "address": address}
    going, over = start(sink=sink), start(sink=sink, on_sink_error="fail")
    row = worker.until_finished(over)
    assert row.count("errors") >= 1 and address.split(":")[0] in row.count("last_sink_error")
    stats = worker.until(
        lambda: (told := operator.get(f"{BASE}/scenarios/{going}/stats").json())["total_sink_failures"] and told
    )
    assert stats["state"] == "running" and stats["degraded"] and stats["consecutive_failures"] >= 1
    assert stats["last_successful_write_at"] is None and stats["total_events"] > 0


def test_one_event(operator, local_server):
    def send(**fields):
        body = {"signal_type": "metrics", "metric": {"name": "lift", "value": 2.5}, "labels": {"car": "2"}} | fields
        answer = operator.post(f"{BASE}/events", body)
        return answer.status_code, answer.json()

    hook = {"type": "http_push", "url": f"{local_server.url}/in"}
    status, told = send(sink=hook)
    assert (status, told["sent"], told["signal_type"]) == (200, True, "metrics") and told["latency_ms"] >= 0
    assert local_server.requests[0].body.startswith(b'lift{car="2"} 2.5 ')
    log = {"severity": "fatal", "message": "own {x}", "fields": {"x": "y"}}
    assert send(signal_type="logs", log=log, sink=hook)[0] == 200
    sent = local_server.requests[1].json()
    assert (sent["severity"], sent["message"], sent["fields"]) == ("fatal", "own {x}", {"x": "y"})
    local_server.answer("/in", Answer(status=500))
    assert send(sink=hook)[1]["error"] == "bad_gateway" and send(sink=hook)[0] == 502
    memory = {"type": "memory"}
    for fields in ({"signal_type": "x"}, {"metric": {}}, {"metric": 1}, {"signal_type": "logs"}, {"sink": None}):
        assert send(**({"sink": memory} | fields))[0] == 400, fields
    for fields in (
        {"metric": {"name": "1x", "value": 1}}, {"metric": {"name": "a", "value": "b"}}, {"labels": {"1": "a"}},
        {"sink": {"type": "kafka"}}, {"sink": {"type": "platform"}}, {"encoder": {"type": "nope"}},
        {"signal_type": "logs", "log": {"message": "a", "severity": "nope"}},
    ):  # fmt: skip
        assert send(**({"sink": memory} | fields))[0] == 422, fields
    assert operator.generic("POST", f"{BASE}/events", b"{", "application/json").status_code == 400
