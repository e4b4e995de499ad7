"""A pass over 200 rules and 1,000 instances with half of the 200,000 pairs firing, and how soon a webhook hears.

Beside it, in the same run and on the same machine: Debian's Prometheus with the same rules over the same series, if
it is installed, and the naive way of asking for each rule and each instance.
"""

import itertools
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from benchmarks import _prometheus, _stack

RULES, INSTANCES, LASTING = 200, 1_000, 50  # of the rules, so many with a duration
PASSES, MOST_S = 5, 4.0
NAIVE_PAIRS = 2_000
HEARD, MOST_HEARD_S = 60, 10.0
EVERY_S, SPAN_S = 30, 420  # samples of the last seven minutes


def main() -> None:
    _stack.prepare("config.settings")
    from django.utils import timezone

    from fleet.metrics import services

    services.ensure_partitions()
    say("making the fleet, the rules and the open alerts")
    now = timezone.now()
    machines, limits = fleet(now), [50 + place / 10 for place in range(RULES)]
    rules = make_rules(limits)
    open_half(rules, machines, now)
    say("looking at the rules")
    took = passes(now)
    say("the same in the naive way, and by Prometheus")
    naive_s = naive(rules, machines, now)
    theirs = _prometheus.evaluate({one.name: one.last_sample["cpu_pct"] for one in machines}, limits, LASTING)
    say("a storm, then webhooks")
    report_passes(took, naive_s, theirs, *storm_of(now))
    report_webhooks(webhooks())


def say(text: str) -> None:
    print(f"{text} …", flush=True)


def fleet(now: Any) -> list[Any]:
    """Instances of which every second is busy, with the samples of the last minutes."""
    from config import timeseries
    from fleet.instances.models import Instance
    from fleet.metrics.models import SAMPLES

    def sample(busy: bool) -> dict:
        return {"cpu_pct": 95.0 if busy else 5.0, "at": now.isoformat()}

    made = Instance.objects.bulk_create(
        Instance(name=f"bench-{n}", provider="ssh", status="RUNNING", last_seen_at=now, last_sample=sample(n % 2 == 0))
        for n in range(INSTANCES)
    )
    place = list(SAMPLES.columns).index("cpu_pct")
    for second in range(0, SPAN_S, EVERY_S):
        rows = []
        for one in made:
            row = [one.pk, now - timedelta(seconds=second), *[None] * (len(SAMPLES.columns) - 2)]
            row[place] = one.last_sample["cpu_pct"]
            rows.append(tuple(row))
        timeseries.insert(SAMPLES, rows)
    return made


def make_rules(limits: list[float]) -> list[Any]:
    from alerts.rules.models import Rule

    def conditions(place: int, limit: float) -> dict:
        duration = {"duration_sec": 300} if place < LASTING else {}
        return {"metric": "cpu_percent", "operator": "gt", "threshold": limit} | duration

    return Rule.objects.bulk_create(
        Rule(name=f"Rule {place}", type="THRESHOLD", severity="HIGH", conditions=conditions(place, limit))
        for place, limit in enumerate(limits)
    )


def open_half(rules: list[Any], machines: list[Any], now: Any) -> None:
    """The alerts that are open already, since the pass is measured in the midst of a long trouble."""
    from alerts.incidents.models import Alert

    pairs = ((rule, one) for rule in rules for one in machines[::2])
    alerts = (
        Alert(
            source="rule", type="THRESHOLD", severity="HIGH", title="Busy", message="Busy", rule=rule, instance=one,
            dedupe_key=f"{rule.pk}:{one.pk}", fired_at=now - timedelta(minutes=10),
        )
        for rule, one in pairs
    )  # fmt: skip
    while batch := list(itertools.islice(alerts, 5_000)):
        Alert.objects.bulk_create(batch)


def passes(now: Any) -> list[tuple[float, float]]:
    """Seconds of each pass on the clock and of CPU; the first, which writes down what it found, is not among them."""
    from django.db import connection

    from alerts.evaluation.models import RuleState
    from alerts.evaluation.services import evaluate
    from alerts.incidents.models import Alert

    evaluate(now=now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    took, database = [], _stack.postmaster()
    for place in range(PASSES):
        started, cpu_s = time.perf_counter(), _spent_s(database)
        evaluate(now=now + timedelta(seconds=place))
        took.append((time.perf_counter() - started, _spent_s(database) - cpu_s))
    firing = Alert.objects.open().count()
    if firing != RULES * INSTANCES // 2 or RuleState.objects.filter(verdict="true").count() != firing:
        raise SystemExit(f"{firing} alerts are open; half of {RULES * INSTANCES} should be")
    return took


def _spent_s(database: Any) -> float:
    """CPU seconds of this process and of PostgreSQL."""
    return time.process_time() + (_stack.cpu_of(database) if database else 0.0)


def naive(rules: list[Any], machines: list[Any], now: Any) -> float:
    """Seconds for all pairs when each asks for its newest sample and its open alert; from a part of the pairs."""
    from alerts.incidents.models import Alert
    from config.timeseries import Query, rows_of

    newest = "SELECT cpu_pct FROM metric_sample WHERE instance_id = %s ORDER BY ts DESC LIMIT 1"
    pairs = [(rules[n % RULES], machines[(7 * n) % INSTANCES]) for n in range(NAIVE_PAIRS)]
    started = time.perf_counter()
    for rule, one in pairs:
        value = rows_of(Query(newest, [one.pk]))[0][0]
        is_open = Alert.objects.open().filter(dedupe_key=f"{rule.pk}:{one.pk}").exists()
        if (value > rule.conditions["threshold"]) is not is_open:
            raise SystemExit("The naive way comes to another result")
    return (time.perf_counter() - started) * RULES * INSTANCES / NAIVE_PAIRS


def storm_of(now: Any) -> tuple[float, int]:
    """Seconds of the pass in which one more rule opens an alert for every second instance, with its notices."""
    from alerts.channels.models import Channel
    from alerts.evaluation.services import evaluate
    from alerts.rules.models import Rule

    wanted = {"metric": "cpu_percent", "operator": "gt", "threshold": 90}
    rule = Rule.objects.create(name="Storm", type="THRESHOLD", severity="CRITICAL", conditions=wanted)
    channel = Channel(name="Nobody", type="WEBHOOK")
    channel.config = {"url": "http://127.0.0.1:9/"}
    channel.save()
    rule.channels.add(channel)
    started = time.perf_counter()
    evaluate(now=now + timedelta(seconds=PASSES))
    return time.perf_counter() - started, rule.alerts.count()


@contextmanager
def workers() -> Iterator[None]:
    """Beat and a worker, as the product starts them."""
    import os
    import subprocess
    import sys

    base = [sys.executable, "-m", "celery", "-A", "config"]
    folder = os.environ["PHAROS_DATA_DIR"]
    commands = (
        [*base, "beat", "--schedule", f"{folder}/beat", "--loglevel=ERROR"],
        [*base, "worker", "--pool=threads", "--concurrency=4", "--queues=default", "--loglevel=ERROR"],
    )
    processes = [subprocess.Popen(one, cwd=_stack.ROOT, stdout=subprocess.DEVNULL) for one in commands]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def webhooks() -> list[float]:
    """Seconds from the answer to a bad heartbeat until a webhook has the alert, at default settings."""
    import os

    os.environ["PHAROS_OUTBOUND_ALLOW"] = "127.0.0.0/8"
    from django.db import connection

    from alerts.channels.models import Channel
    from alerts.rules.models import Rule
    from fleet.instances.models import Instance
    from security.keys.services import create_service_key
    from tests.support.local_server import LocalServer

    with connection.cursor() as cursor:  # a hundred thousand alerts one by one would take longer than the rest
        cursor.execute("TRUNCATE alerts_rule, fleet_instance CASCADE")
    made = Instance.objects.bulk_create(
        Instance(name=f"heard-{n}", provider="ssh", status="RUNNING") for n in range(HEARD)
    )
    _, key = create_service_key(name="Benchmark", role="OPERATOR")
    receiver = LocalServer()
    channel = Channel(name="Receiver", type="WEBHOOK")
    channel.config = {"url": f"{receiver.url}/"}
    channel.save()
    wanted = {"metric": "cpu_percent", "operator": "gt", "threshold": 90}
    for one in made:  # a rule each: alerts of one rule are told together, at most each ten seconds
        rule = Rule.objects.create(name="Busy", type="THRESHOLD", severity="CRITICAL", conditions=wanted, instance=one)
        rule.channels.add(channel)
    with _stack.server(settings="config.settings") as server, workers():
        time.sleep(8)  # until the first passes are over
        accepted = {}
        for number, one in enumerate(made):
            beat(server.port, key, one.pk)
            accepted[one.pk] = time.time()
            time.sleep(0.37 + number % 7 * 0.1)  # spread over the rhythm of the passes
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and len(arrivals(receiver, accepted)) < HEARD:
            time.sleep(0.2)
    heard = arrivals(receiver, accepted)
    receiver.close()
    if len(heard) < HEARD:
        raise SystemExit(f"{HEARD - len(heard)} of {HEARD} alerts did not reach the webhook")
    return [heard[pk] - accepted[pk] for pk in accepted]


def beat(port: int, key: str, instance_id: str) -> None:
    import requests

    url = f"http://127.0.0.1:{port}/api/v1/instances/{instance_id}/heartbeats"
    answer = requests.post(url, json={"cpuPercent": 99.0}, headers={"X-Api-Key": key}, timeout=10)
    answer.raise_for_status()


def arrivals(receiver: Any, accepted: dict[str, float]) -> dict[str, float]:
    """When each instance was first named by a message."""
    found: dict[str, float] = {}
    for request in list(receiver.requests):
        text = request.body.decode()
        for instance_id in accepted:
            if instance_id in text:
                found.setdefault(instance_id, request.at)
    return found


def report_passes(
    took: list[tuple[float, float]], naive_s: float, theirs: float | None, storm_s: float, storm: int
) -> None:
    ours, cpu_s = (statistics.median(values) for values in zip(*took, strict=True))
    print(f"\n{RULES} rules x {INSTANCES} instances, half firing: a pass takes {ours:.2f} s ({cpu_s:.2f} s of CPU)")
    print(f"A pass that opens {storm} alerts on top, with their notices: {storm_s:.2f} s")
    print(f"Pass, naive (from {NAIVE_PAIRS} pairs) / product:       {naive_s / ours:6.1f}x ({naive_s:.0f} s)")
    if theirs is None:
        print("Prometheus is not installed, so nothing is compared with it.")
    else:
        print(f"Pass, product / Prometheus:                     {ours / theirs:6.1f}x ({theirs:.2f} s)")
    verdict(ours <= MOST_S, f"a pass in at most {MOST_S:.0f} s")


def report_webhooks(heard: list[float]) -> None:
    ordered = sorted(heard)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    print(f"\nBad heartbeat accepted to webhook received, {len(heard)} times: ", end="")
    print(f"p50 {ordered[len(ordered) // 2]:.1f} s, p99 {p99:.1f} s")
    verdict(p99 <= MOST_HEARD_S, f"a webhook within {MOST_HEARD_S:.0f} s at the 99th percentile")


def verdict(held: bool, what: str) -> None:
    print(f"{'met   ' if held else 'MISSED'} {what}", flush=True)


if __name__ == "__main__":
    main()
