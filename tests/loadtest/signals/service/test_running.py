"""Scenarios over HTTP, made by a real runner (contract: signals §2 to §7)."""

import json
import os
import signal
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from loadtest.signals.running import dispatch, state
from loadtest.signals.running.models import Chunk, Scenario
from tests.loadtest.signals.service.conftest import BASE, entry

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
    one = start(rate=1000, duration="1500ms")
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
    assert stamps == [stamps[0], stamps[0] + 1, stamps[0] + 2]
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
