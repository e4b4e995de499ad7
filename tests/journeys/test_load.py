"""Load tests of the real product: processes killed in mid-run, and a browser that follows the live stream."""

import json
import socket
import threading
import time
from contextlib import suppress

import pytest
import requests

from tests.loadtest.engine.conftest import OK, Server, answer
from tests.support import product as products
from tests.support.console import Console, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.slow]
BASE = "/api/loadtest"
SETTLED_S = 30  # a lease, a tick, and the start of a process


@pytest.fixture
def target():
    server = Server(answer(OK))
    yield server
    server.close()


def start(console, target, **fields):
    body = {"method": "GET", "url": target.url, "mode": "constant_rps", "targetRps": 50, **fields}
    run_id = console.post(f"{BASE}/run", body)["runId"]
    wait_for("the load", lambda: len(target.requests) > 5, timeout_s=30)
    return run_id


def ended(console, run_id):
    def look():
        run = console.get(f"{BASE}/run/{run_id}")
        return run if run["status"] not in ("pending", "running") else None

    return wait_for("the end of the run", look, timeout_s=SETTLED_S)


def is_quiet(target):
    before = len(target.requests)
    time.sleep(0.5)
    return len(target.requests) == before


@pytest.fixture(scope="module")
def product(servers):
    with products.production(servers) as running:
        yield running


@pytest.fixture(scope="module")
def console(product):
    return Console(product.url, product.new_key("OPERATOR"), live_url=product.live_url)


@pytest.mark.production
def test_web_and_live(product, console, target):
    """Nothing happens to the run; its stream is resumed where it broke, without a gap."""
    run_id = start(console, target, duration="5s")
    seen = []
    with suppress(requests.RequestException):
        for number, _ in ticks(console, run_id):
            seen.append(number)
            if len(seen) == 5:
                product.processes["live"].kill()
    product.processes["web"].kill()
    for name in ("live", "web"):
        product.processes[name].start()
    wait_for("both to be back", lambda: is_ready(product), timeout_s=60)
    run = ended(console, run_id)
    assert (run["status"], run["message"]) == ("completed", "")
    assert 200 < len(target.requests) <= 250
    seen += [number for number, _ in ticks(console, run_id, after=seen[-1])]
    assert seen == list(range(len(seen)))
    series = console.get(f"{BASE}/stats/{run_id}?format=json")
    assert series["pagination"]["total"] == len(seen) and series["data"][-1]["requests_completed"] == len(
        target.requests
    )


@pytest.mark.production
def test_worker(product, console, target):
    """Its load processes go with it; the run is told as failed, with everything measured until then."""
    run_id = start(console, target, duration="60s")
    wait_for("a report", lambda: report(console, run_id)["summary"]["totalRequests"], timeout_s=30)
    product.processes["worker"].kill()
    wait_for("silence", lambda: is_quiet(target), timeout_s=30)
    product.processes["worker"].start()
    run = ended(console, run_id)
    assert run["status"] == "failed" and "worker" in run["message"]
    assert report(console, run_id)["summary"]["totalRequests"] > 0
    assert console.get(f"{BASE}/stats/{run_id}?format=json")["pagination"]["total"] > 5


@pytest.mark.production
def test_spread_over_workers(product, console, target):
    """Two parts through the broker, one report."""
    run_id = console.post(
        f"{BASE}/run", {"method": "GET", "url": target.url, "iterations": 100, "concurrency": 4, "shards": 2}
    )["runId"]
    assert ended(console, run_id)["status"] == "completed"
    told = report(console, run_id)
    assert told["summary"]["totalRequests"] == len(target.requests) == 100
    assert [part["totalRequests"] for part in told["shards"]] == [50, 50]


def is_ready(product):
    with suppress(requests.RequestException):
        return all(requests.get(f"{url}/readyz", timeout=2).ok for url in (product.url, product.live_url))
    return False


def report(console, run_id):
    return console.get(f"{BASE}/run/{run_id}/report")


def ticks(console, run_id, after=None):
    """`(number, tick)` of the live stream, until it completes or breaks."""
    headers = {"Authorization": f"Bearer {console.key}"} | ({} if after is None else {"Last-Event-ID": str(after)})
    url = f"{console.live_url}{BASE}/metrics/live/{run_id}"
    with requests.get(url, headers=headers, stream=True, timeout=20) as stream:
        number = None
        for line in stream.iter_lines(decode_unicode=True):
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: ") and number is not None:
                yield number, json.loads(line[6:])
                number = None


class Cable:
    """A connection between a browser and the product that can be cut."""

    def __init__(self, port):
        self._to, self._open, self.connections = port, [], 0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                here, _ = self._door.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                self.connections += 1
                self._open += [here, there]
                for a, b in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    def _carry(self, source, sink):
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def cut(self):
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()

    def close(self):
        self._door.close()
        self.cut()


FOLLOW = """([url]) => {
    window.seen = []; window.over = false;
    const source = new EventSource(url);
    source.addEventListener("metrics", event => window.seen.push([Number(event.lastEventId), JSON.parse(event.data)]));
    source.addEventListener("complete", event => { window.over = JSON.parse(event.data); source.close(); });
}"""


@pytest.mark.browser
def test_a_browser_resumes_after_a_cut(embedded_product, chromium, target):
    """EventSource in Chromium: the cut is between two ticks, and no tick is missing or comes twice."""
    console = Console(embedded_product.url, embedded_product.new_key("OPERATOR"))
    cable = Cable(int(embedded_product.url.rpartition(":")[2]))
    page = chromium.new_page()
    try:
        page.goto(f"{cable.url}/healthz")
        page.context.set_extra_http_headers({"Authorization": f"Bearer {console.key}"})
        run_id = start(console, target, duration="5s")
        page.evaluate(FOLLOW, [f"{BASE}/metrics/live/{run_id}"])
        # Asked from here: the page's own policy lets nothing be evaluated in it again and again.
        wait_for("ticks", lambda: page.evaluate("window.seen.length") > 3, timeout_s=30)
        before = cable.connections
        cable.cut()
        wait_for("the end", lambda: page.evaluate("window.over"), timeout_s=30)
        seen, over = page.evaluate("[window.seen, window.over]")
    finally:
        page.close()
        cable.close()
    assert cable.connections > before
    assert [number for number, _ in seen] == list(range(len(seen))) and len(seen) > 20
    assert over == {"event": "complete", "runId": run_id}
    assert seen[-1][1]["totalRequests"] == len(target.requests) == report(console, run_id)["summary"]["totalRequests"]
