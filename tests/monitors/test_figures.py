"""Percentiles, Apdex and thresholds against a naive computation (contract: monitors §5.3)."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.runs import judge
from monitors.tools import samples as samples_module
from monitors.tools.samples import Samples

TIMES = st.floats(min_value=0, max_value=600_000, allow_nan=False)
REQUESTS = st.lists(st.tuples(TIMES, st.booleans()), min_size=1, max_size=200)


def collected(requests: list[tuple[float, bool]], t_ms: float = 500) -> Samples:
    samples = Samples(t_ms)
    for ms, ok in requests:
        samples.add(ms, ok)
    return samples


@given(REQUESTS, st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.0, 1.0]))
def test_percentiles_interpolate(requests: list[tuple[float, bool]], share: float) -> None:
    ordered = sorted(Fraction(ms) for ms, _ in requests)
    place = Fraction(share) * (len(ordered) - 1)
    low = math.floor(place)
    naive = ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (place - low)
    assert collected(requests).quantiles(share)[0] == pytest.approx(float(naive), rel=1e-9, abs=1e-9)


@given(REQUESTS, st.floats(min_value=0.001, max_value=100_000))
def test_apdex_and_shares(requests: list[tuple[float, bool]], t_ms: float) -> None:
    satisfied = sum(ok and ms <= t_ms for ms, ok in requests)
    tolerating = sum(ok and t_ms < ms <= 4 * t_ms for ms, ok in requests)
    metrics = collected(requests, t_ms).metrics(2.0)
    assert metrics["apdex"] == (satisfied + tolerating / 2) / len(requests)
    assert metrics["errorRate"] == sum(not ok for _, ok in requests) / len(requests)
    assert (metrics["samples"], metrics["throughput"]) == (len(requests), len(requests) / 2)
    assert metrics["avg"] == pytest.approx(sum(ms for ms, _ in requests) / len(requests))
    assert (metrics["min"], metrics["max"]) == (min(ms for ms, _ in requests), max(ms for ms, _ in requests))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(min_value=0.01, max_value=60_000), min_size=60, max_size=300))
def test_beyond_the_limit_a_histogram_is_close(times: list[float]) -> None:
    before = samples_module.MOST_KEPT
    samples_module.MOST_KEPT = 50
    try:
        samples = collected([(ms, True) for ms in times])
    finally:
        samples_module.MOST_KEPT = before
    ordered = sorted(times)
    for share in (0.5, 0.95):
        place = share * (len(ordered) - 1)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        assert low * 0.998 - 0.002 <= samples.quantiles(share)[0] <= high * 1.002 + 0.002


METRICS = st.fixed_dictionaries(
    dict.fromkeys(("p50", "p95", "p99", "avg"), TIMES)
    | {
        "errorRate": st.floats(0, 1),
        "apdex": st.none() | st.floats(0, 1),
        "throughput": st.floats(0, 1e6),
    }
)
LIMITS = st.dictionaries(st.sampled_from(sorted(judge.HIGHEST)), st.floats(0, 1000) | st.floats(0, 1))


@given(METRICS, LIMITS)
def test_breaches(metrics: dict, limits: dict) -> None:
    metrics = judge.rounded(metrics)
    expected = set()
    for name, metric, above in (
        ("latencyMs", metrics["p95"], True),
        ("errorRatePercent", round(metrics["errorRate"] * 100, 6), True),
        ("p50Ms", metrics["p50"], True),
        ("p99Ms", metrics["p99"], True),
        ("avgMs", metrics["avg"], True),
        ("apdexMin", metrics["apdex"], False),
        ("throughputMin", metrics["throughput"], False),
    ):
        limit = limits.get(name)
        if limit is not None and (metric is None or (metric > limit if above else metric < limit)):
            expected.add(name)
    if not set(limits) - {"apdexTMs"} and metrics["errorRate"] == 1:
        expected.add("availability")
    found = judge.breaches(metrics, limits)
    assert {one["threshold"] for one in found} == expected
    for one in found:
        assert set(one) == {"threshold", "metric", "limit", "actual", "unit", "message"} and one["message"]


def test_a_value_at_its_limit_is_no_breach() -> None:
    metrics = {"p95": 900.0, "errorRate": 0.025, "apdex": 0.85}
    limits = {"latencyMs": 900, "errorRatePercent": 2.5, "apdexMin": 0.85}
    assert judge.breaches(metrics, limits) == []


def test_the_breach_of_the_contract() -> None:
    assert judge.breaches({"p95": 1312.4}, {"latencyMs": 900}) == [
        {
            "threshold": "latencyMs",
            "metric": "p95",
            "limit": 900,
            "actual": 1312.4,
            "unit": "ms",
            "message": "p95 1312.4 ms is over 900 ms",
        }
    ]


def test_rounding() -> None:
    values = {"p95": 1.23456, "errorRate": 1 / 3, "throughput": 2 / 3, "dnsMs": 0.98765, "samples": 7, "apdex": None}
    assert judge.rounded(values) == {
        "p95": 1.235,
        "errorRate": 0.333333,
        "throughput": 0.666667,
        "dnsMs": 0.988,
        "samples": 7,
        "apdex": None,
    }
