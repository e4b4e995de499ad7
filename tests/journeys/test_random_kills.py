"""Workers, the scheduler and an agent elsewhere die at random for minutes: no run is lost, none is doubled.

It runs when `KILL_MINUTES` says how long. What each death does by itself is in `test_kills.py`, which always runs.
"""

import faulthandler
import os
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain, count

import pytest

from tests.support import product as products
from tests.support.console import Console, wait_for

# No name of the product: its settings are taken out of the environment of tests.
MINUTES = int(os.environ.get("KILL_MINUTES", "0"))
pytestmark = [
    pytest.mark.journey,
    pytest.mark.production,
    pytest.mark.slow,
    pytest.mark.skipif(not MINUTES, reason="takes as long as KILL_MINUTES says"),
]
VICTIMS = ["worker", "scheduler", "elsewhere"]
EACH = 3  # monitors of each agent


@pytest.fixture(scope="module")
def product(servers):
    with products.production(servers) as running:
        yield running


@pytest.fixture(scope="module")
def console(product):
    return Console(product.url, product.new_key("ADMIN"), live_url=product.live_url)


@pytest.fixture
def elsewhere(product, console):
    """An agent of its own, with nothing but its token and the way to the server."""
    token = console.post("/api/agents", {"name": "Elsewhere", "id": "elsewhere"}, expect=201)["token"]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(product.folder),
        "PHAROS_URL": product.url,
        "PHAROS_MONITOR_TOKEN": token,
        "PHAROS_OUTBOUND_ALLOW": "127.0.0.0/8",
    }
    command = [str(products.BIN / "pharos"), "monitors", "agent"]
    product.processes["elsewhere"] = agent = products.Process(
        "elsewhere", command, env, product.folder / "elsewhere.log"
    )
    agent.start()
    wait_for("the agent", lambda: console.get("/api/agents/elsewhere")["status"] == "online")
    return "elsewhere"


def monitor(console, name, url, agent):
    body = {"name": name, "schedule": "* * * * *", "tool": "http", "request": {"url": url, "samples": 1}}
    return console.post("/api/monitors", body | {"agentId": agent}, expect=201)["id"]


def test_nothing_is_lost_and_nothing_doubled(product, console, elsewhere, local_server):
    faulthandler.dump_traceback_later(60 * MINUTES + 360, exit=True)  # instead of the usual five minutes
    local_server.answer("/slow", delay_s=2)
    dice = random.Random(os.environ.get("PHAROS_KILL_SEED", "7"))
    urls = [f"{local_server.url}/slow", *[local_server.url] * (EACH - 1)]
    monitors = {
        monitor(console, f"{agent} {number}", url, agent): agent
        for agent in ("default", elsewhere)
        for number, url in enumerate(urls)
    }
    first = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    last, deaths = first + timedelta(minutes=MINUTES), Counter()
    pause_until(first - timedelta(seconds=2))
    rounds = (dice.sample(VICTIMS, len(VICTIMS)) for _ in count())  # nobody is spared for long
    for victim in chain.from_iterable(rounds):
        if datetime.now(UTC) > last - timedelta(seconds=20):
            break
        product.processes[victim].kill()
        time.sleep(dice.uniform(0, 1))
        product.processes[victim].start()
        deaths[victim] += 1
        # Most die around the beginning of a minute, when there is something to lose.
        time.sleep(dice.uniform(0.5, 3) if datetime.now(UTC).second in (*range(6), *range(56, 60)) else 6)
    pause_until(last - timedelta(seconds=10))
    for one in monitors:  # no further minute: what is counted below is whole
        console.call("PATCH", f"/api/monitors/{one}", {"enabled": False})
    assert set(deaths) == set(VICTIMS), f"too few deaths to tell: {deaths}"

    def all_over():
        runs = {one: console.get(f"/api/monitors/{one}/runs?limit=200") for one in monitors}
        return runs if all(run["completedAt"] for found in runs.values() for run in found) else None

    for one, runs in wait_for("all runs to end", all_over, timeout_s=100, every_s=1).items():
        minutes = Counter(run["queuedAt"][:16] for run in runs)
        skipped = console.get(f"/api/monitors/{one}")["skippedRuns"]
        told = f"{monitors[one]}: {sorted(minutes.items())}, {skipped} skipped, deaths {dict(deaths)}"
        assert set(minutes.values()) == {1}, f"a minute has two runs; {told}"
        assert len(minutes) + skipped == MINUTES, f"a minute is lost; {told}"
        for run in runs:
            good = run["status"] == "pass" or (run["status"], run["error"]["code"]) == ("error", "worker_lost")
            assert good, f"{run['status']} {run['error']}; {told}"
    hits = local_server.requests
    made = sum(console.get(f"/api/monitors/{one}/runs?limit=200&status=pass") != [] for one in monitors)
    # In one minute each monitor has one run, which its worker's death may cost; in more, each was measured.
    needed = len(monitors) if MINUTES > 1 else len(monitors) // 2
    assert made >= needed and len(hits) >= made, f"{made} of {len(monitors)} monitors were measured"


def pause_until(moment):
    time.sleep(max(0, (moment - datetime.now(UTC)).total_seconds()))
