"""Signals of the real product: scraped by a real Prometheus, fed into the platform until rules fire."""

import json
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from tests.support import services
from tests.support.console import Console, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.slow]
BASE = "/api/signals"
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: one
    metrics_path: {base}/scenarios/{scenario}/metrics
    params: {{limit: ["1000"]}}
    authorization: {{credentials: {key}}}
    static_configs: [{{targets: ["{target}"]}}]
  - job_name: every
    metrics_path: {base}/scenarios/metrics
    authorization: {{credentials: {key}}}
    static_configs: [{{targets: ["{target}"]}}]
"""


@pytest.fixture(scope="module")
def key(embedded_product):
    return embedded_product.new_key("OPERATOR")


@pytest.fixture(scope="module")
def console(embedded_product, key):
    return Console(embedded_product.url, key)


def delete(console, path):
    return console.call("DELETE", path)


@pytest.fixture(scope="module")
def watched(console):
    """A log with a long gap and a metric that is too high, each with a rule on its machine: (scenario, machine, rule).

    Silence takes half a minute to be noticed, so it begins before everything else.
    """
    template = {"type": "template", "templates": [{"message": "belt stopped"}], "severity_weights": {"error": 1}}
    silence = {
        "signal_type": "logs", "generator": template, "gaps": {"every": "90s", "for": "88s"},
        "rule": {"type": "LIFECYCLE", "conditions": {"event": "heartbeat_lost", "timeout_sec": 30}},
    }  # fmt: skip
    load = {
        "generator": {"type": "constant", "value": 97},
        "rule": {"type": "THRESHOLD", "conditions": {"metric": "cpu_percent", "operator": "gt", "threshold": 90}},
    }
    found = {}
    for name, fields in {"belt": silence, "cpu_percent": load}.items():
        rule = fields.pop("rule")
        body = {"name": name, "rate": 10, "sink": {"type": "platform"}, **fields}
        made = console.post(f"{BASE}/scenarios", body, expect=201)
        (machine,) = (one["id"] for one in synthetic(console) if one["name"].startswith(f"signals-{name}-"))
        rule |= {"name": name, "severity": "HIGH", "instanceId": machine, "cooldownSec": 0}
        found[name] = (made["id"], machine, console.post("/api/v1/alerts/rules", rule, expect=201)["id"])
    return found


def synthetic(console):
    """The machines that signals have made."""
    every = console.get("/api/v1/instances?pageSize=100")["instances"]
    return [one for one in every if (one.get("tags") or {}).get("synthetic") == "signals"]


@pytest.fixture
def prometheus(tmp_path):
    """`prometheus(config)` starts one; what comes back asks it for the values of an expression, by job."""
    program, started = services.find("prometheus", "prometheus"), []

    def start(config):
        port = services.free_port()
        (tmp_path / "prometheus.yml").write_text(config)
        command = [
            program, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
        ]  # fmt: skip
        with (tmp_path / "log").open("wb") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True))

        def ask(expression):
            address = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(expression)}"
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:
                    rows = json.load(answer)["data"]["result"]
            except OSError:
                return {}  # it has not started yet
            return {row["metric"].get("job", ""): float(row["value"][1]) for row in rows}

        return ask

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


def test_a_real_prometheus_never_fails_to_scrape(console, key, watched, prometheus):
    made = console.post(
        f"{BASE}/scenarios",
        {"name": "lift_speed", "rate": 20, "generator": {"type": "steady"}, "labels": {"car": "2"}},
        expect=201,
    )
    began = time.monotonic()
    one = f"{BASE}/scenarios/{made['id']}"
    wait_for("the first event", lambda: console.get(f"{one}/stats")["total_events"], timeout_s=20)
    assert time.monotonic() - began < 10  # two seconds are promised
    target = console.url.partition("://")[2]
    ask = prometheus(CONFIG.format(base=BASE, scenario=made["id"], key=key, target=target))
    wait_for(
        "eight scrapes of both", lambda: sorted(ask("count_over_time(up[2m]) >= 8")) == ["every", "one"], timeout_s=60
    )
    assert ask("min_over_time(up[2m])") == {"one": 1.0, "every": 1.0}
    counted = ask('count_over_time(lift_speed{car="2"}[2m])')
    assert counted["one"] > counted["every"] >= 5, counted  # every line once, against the latest value each time
    assert delete(console, one)["total_events"] >= counted["one"]


def test_a_metric_and_a_log_make_rules_fire(console, watched):
    """The log falls silent in its gap, and with it its machine; the metric is too high all the time."""

    def fired(name):
        _, machine, rule = watched[name]
        alerts = console.get(f"/api/v1/alerts?instanceId={machine}&pageSize=100")["alerts"]
        return rule in {alert["ruleId"] for alert in alerts}

    wait_for("the alert of the busy machine", lambda: fired("cpu_percent"), timeout_s=30)
    lines = console.get(f"/api/v1/logs?instanceId={watched['belt'][1]}&pageSize=5")["logs"]
    assert lines and {line["message"] for line in lines} == {"belt stopped"}
    wait_for("the alert of the silent machine", lambda: fired("belt"), timeout_s=90)
    for scenario, _, _ in watched.values():
        assert delete(console, f"{BASE}/scenarios/{scenario}?purge=true")["status"] == "stopped"
    assert not synthetic(console)
