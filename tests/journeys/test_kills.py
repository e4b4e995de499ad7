"""SIGKILL of each process of the production shape at work, and its servers away: nothing acknowledged is lost, nothing
runs twice, and streams come back.
"""

import base64
import json
import os
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.support import outage, services
from tests.support import product as products
from tests.support.console import Console, beat, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.production, pytest.mark.slow]

GONE_S = float(os.environ.get("REDIS_GONE_S", "12"))  # 20 in the long form
SLEEPER = "import { sleep } from 'k6'; export default function () { sleep(300); } // %s"


@pytest.fixture(scope="module")
def stores():
    """PostgreSQL and Redis for this product alone, so that they may be stopped."""
    with services.postgresql() as database, services.redis() as redis:
        servers = {"DATABASE_URL": outage.Server(database), "REDIS_URL": outage.Server(redis)}
        yield {"DATABASE_URL": database, "REDIS_URL": redis}, servers
        for server in servers.values():
            server.close()


@pytest.fixture(scope="module")
def product(stores):
    with products.production(stores[0], PHAROS_RATE_WRITES="0", PHAROS_RATE_READS="0") as running:
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
        self.acknowledged, self.refused, self.answers = [], 0, []
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
                self.answers.append((answer.status_code, answer.headers.get("Retry-After")))


def test_no_acknowledged_write_is_lost(product, console, instance):
    """That no scheduled run is lost or doubled is counted by `test_random_kills`."""
    beater, began = Beater(console, instance), datetime.now(UTC)
    beater.start()
    for name in ("live", "worker", "web", "scheduler", "live"):
        time.sleep(2)
        restart(product, name)
    so_far = len(beater.acknowledged)
    wait_for("writes to go on", lambda: len(beater.acknowledged) > so_far + 20, timeout_s=60)
    beater.done.set()
    beater.join(10)
    assert beater.refused, "killing the live process must have been felt"
    lost = set(beater.acknowledged) - samples(console, instance, began)
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
        timeout_s=45 - (time.monotonic() - died),
    )
    assert (run["status"], run["error"]["code"]) == ("error", "worker_lost")
    wait_for("the tool to be gone", lambda: not (k6_processes() & before))


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


def test_postgresql_restarts_under_load(product, console, instance, stores):
    began, database = datetime.now(UTC), stores[1]["DATABASE_URL"]
    beaters = [Beater(console, instance) for _ in range(4)]
    for beater in beaters:
        beater.start()
    entry = {"instanceId": instance, "level": "INFO", "source": "APP", "message": "a line of the restart"}
    written = 0
    try:
        for moment in range(12):
            if moment == 3:
                database.stop()
            if moment == 6:
                database.start()
            answers = [
                requests.post(f"{url}{path}", json=body, headers={"X-Api-Key": console.key}, timeout=30)
                for url, path, body in (
                    (console.live_url, "/api/v1/logs/ingest", entry),
                    (console.url, "/api/v1/instances", {"name": f"restart-{moment}", "provider": "ssh"}),
                )
            ]
            for answer in answers:
                assert answer.status_code == 201 or (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            written += answers[0].status_code == 201
            time.sleep(0.3)
    finally:
        for beater in beaters:
            beater.done.set()
        for beater in beaters:
            beater.join(30)
    acknowledged = {moment for beater in beaters for moment in beater.acknowledged}
    assert len(acknowledged) > 100
    assert {answer for beater in beaters for answer in beater.answers} <= {(503, "5")}
    lost = acknowledged - samples(console, instance, began)
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged heartbeats are lost"
    lines = console.get(f"/api/v1/logs?instanceId={instance}&search=restart")
    assert (written >= 5, lines["pagination"]["total"]) == (True, written)


def test_redis_is_gone_for_a_while(product, console, instance, stores):
    redis = stores[1]["REDIS_URL"]
    with (
        console.browser_socket() as page,
        console.browser_socket(f"/ws/metrics/stream?instanceId={instance}") as stream,
    ):
        console.beat(instance, cpu=11)
        hears(stream, lambda message: message.get("cpu_percent") == 11)
        redis.stop()
        gone = time.monotonic()
        try:
            for cpu in range(20, 30):
                console.beat(instance, cpu=cpu)
                console.call("PATCH", f"/api/v1/instances/{instance}", {"tags": {"cpu": str(cpu)}})
                time.sleep(1)
            console.post("/api/v1/ws/ticket", expect=503)
            assert console.get("/health", expect=503)["checks"]["redis"]["status"] == "error"
            took = time.monotonic() - gone
            assert took < 40, f"ten writes and their pauses took {took:.0f} s"
            time.sleep(max(0.0, GONE_S - took))
        finally:
            redis.start()

        def back():
            console.beat(instance, cpu=77)
            return hears(stream, lambda message: message.get("cpu_percent") == 77, timeout_s=1)

        wait_for("the streams to come back", back)
        assert hears(page, lambda message: message["type"] == "heartbeat")

    def beating():
        age = requests.get(f"{console.url}/health", timeout=10).json()["checks"]["worker"]["lastBeatAgeSeconds"]
        return age is not None and age < 15

    wait_for("the scheduler and the worker to come back", beating, timeout_s=60)


def hears(socket, fits, timeout_s=30):
    """Whether a message that fits comes in time."""
    end = time.monotonic() + timeout_s
    while (left := end - time.monotonic()) > 0:
        try:
            if fits(json.loads(socket.recv(left))):
                return True
        except TimeoutError:
            return False
    return False
