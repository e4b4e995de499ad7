"""SIGKILL of each process of the production shape at work: nothing acknowledged is lost, nothing runs twice."""

import base64
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.support import product as products
from tests.support.console import Console, beat, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.production, pytest.mark.slow]

SLEEPER = "import { sleep } from 'k6'; export default function () { sleep(300); } // %s"


@pytest.fixture(scope="module")
def product(servers):
    with products.production(servers) as running:
        yield running


@pytest.fixture(scope="module")
def console(product):
    return Console(product.url, product.new_key("ADMIN"), live_url=product.live_url)


@pytest.fixture(scope="module")
def instance(console):
    return console.post("/api/v1/instances", {"name": "steady", "provider": "ssh"}, expect=201)["id"]


def restart(product, name):
    """Kill a process without warning and start it again, as a supervisor does."""
    product.processes[name].kill()
    product.processes[name].start()


class Beater(threading.Thread):
    """Sends heartbeats without a pause and remembers the ones that were acknowledged."""

    def __init__(self, console, instance):
        super().__init__(daemon=True)
        self.console, self.instance = console, instance
        self.acknowledged, self.refused = [], 0
        self.done = threading.Event()

    def run(self):
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.console.key}"
        url = f"{self.console.live_url}/api/v1/instances/{self.instance}/heartbeats"
        while not self.done.wait(0.02):
            body = beat(self.instance, 50)
            try:
                answer = session.post(url, json=body, timeout=5)
            except requests.RequestException:
                self.refused += 1
                continue
            if answer.status_code == 200:
                self.acknowledged.append(body["metrics"]["timestamp"])
            else:
                self.refused += 1


def test_a_minute_has_one_run_and_no_acknowledged_write_is_lost(product, console, instance, local_server):
    monitor = console.post(
        "/api/monitors",
        {
            "name": "Each minute",
            "schedule": "* * * * *",
            "tool": "http",
            "request": {"url": local_server.url, "samples": 1},
        },
        expect=201,
    )
    beater = Beater(console, instance)
    beater.start()
    began = datetime.now(UTC)
    first = began.replace(second=0, microsecond=0) + timedelta(minutes=1)
    # Around the first minute the scheduler dies twice, around the second worker and web die, then the live process.
    kills = [(-1, "scheduler"), (1, "scheduler"), (30, "live"), (59, "worker"), (61, "web"), (62, "worker")]
    for offset_s, name in kills:
        time.sleep(max(0, (first + timedelta(seconds=offset_s) - datetime.now(UTC)).total_seconds()))
        restart(product, name)
    time.sleep(max(0, (first + timedelta(seconds=95) - datetime.now(UTC)).total_seconds()))
    beater.done.set()
    beater.join(10)

    def runs():
        found = console.get(f"/api/monitors/{monitor['id']}/runs")
        scheduled = [run for run in found if run["trigger"] == "schedule"]
        return scheduled if len(scheduled) >= 2 and all(run["completedAt"] for run in scheduled) else None

    found = wait_for("both runs to end", runs, timeout_s=40)
    minutes = [run["queuedAt"][:16] for run in found]
    assert len(minutes) == len(set(minutes)) == 2, f"one run a minute: {minutes}"

    assert len(beater.acknowledged) > 500, f"{len(beater.acknowledged)} acknowledged, {beater.refused} refused"
    assert beater.refused, "killing the live process must have been felt"
    stored = samples(console, instance, began)
    lost = set(beater.acknowledged) - stored
    assert not lost, f"{len(lost)} of {len(beater.acknowledged)} acknowledged heartbeats are lost"
    assert "is whole" in product.pharos("audit", "verify")


def samples(console, instance, began):
    """The times of all stored samples, read in pages of half a minute."""
    found, start = set(), began - timedelta(seconds=5)
    while start < datetime.now(UTC):
        end = start + timedelta(seconds=30)
        answer = console.get(
            "/api/v1/metrics/timeseries/range?granularity=raw&limit=2000"
            f"&instanceId={instance}&from={stamp(start)}&to={stamp(end)}"
        )
        found |= {point["timestamp"] for point in answer["points"]}
        start = end
    return found


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_run_of_a_dead_worker_ends_within_30_seconds(product, console):
    mark = f"sleeper-{time.time_ns()}"
    monitor = console.post(
        "/api/monitors",
        {
            "name": "Sleeper",
            "schedule": "0 3 * * *",
            "tool": "k6",
            "scriptContent": base64.b64encode((SLEEPER % mark).encode()).decode(),
            "timeoutSeconds": 200,
        },
        expect=201,
    )
    run_id = console.post(f"/api/monitors/{monitor['id']}/run", expect=202)["runId"]
    wait_for("the run to start", lambda: console.get(f"/api/runs/{run_id}")["status"] == "running")
    before = wait_for("the tool to start", k6_processes)
    product.processes["worker"].kill()
    died = time.monotonic()
    product.processes["worker"].start()
    run = wait_for(
        "the run's end",
        lambda: (found := console.get(f"/api/runs/{run_id}"))["completedAt"] and found,
        timeout_s=30 - (time.monotonic() - died),
    )
    assert (run["status"], run["error"]["code"]) == ("error", "worker_lost")
    wait_for("the tool to be gone", lambda: not (k6_processes() & before), timeout_s=5)


def k6_processes():
    """Process ids of running k6."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in listed.splitlines() if "k6 run" in line and "ps -eo" not in line}


def test_notification_written_before_the_worker_died_is_delivered_once(product, console, instance, local_server):
    local_server.answer("/hook", status=204)
    console.post(
        "/api/v1/alerts/channels",
        {"name": "hook", "type": "WEBHOOK", "config": {"url": f"{local_server.url}/hook"}},
        expect=201,
    )
    monitor = console.post(
        "/api/monitors",
        {"name": "Closed door", "schedule": "0 3 * * *", "tool": "http", "request": {"url": "http://127.0.0.1:9/"}},
        expect=201,
    )
    run_id = console.post(f"/api/monitors/{monitor['id']}/run", expect=202)["runId"]
    wait_for("the run's end", lambda: console.get(f"/api/runs/{run_id}")["completedAt"])
    restart(product, "worker")
    restart(product, "scheduler")
    wait_for("the alert", lambda: console.get(f"/api/alerts?monitorId={monitor['id']}"))

    def told():
        # Other monitors of this product may tell of their own troubles.
        return [request for request in local_server.requests if b"Closed door" in request.body]

    wait_for("the webhook", told, timeout_s=90)
    time.sleep(3)
    assert len(told()) == 1
