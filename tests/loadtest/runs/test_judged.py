"""Limits and deferred tests of a load run (contract: load testing §14.8, §16.4)."""

import pytest

from tests.loadtest.engine.conftest import Server, answer
from tests.loadtest.runs.conftest import BASE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
TESTS = """
pm.test("answers", () => pm.response.to.have.status(200));
pm.test("is json with the right name", () => pm.expect(pm.response.json().name).to.equal(pm.globals.get("name")));
pm.test("fails", () => pm.expect(1).to.equal(2));
"""


def test_deferred_tests(make, operator):
    operator.post(f"{BASE}/globals", {"variables": {"name": {"value": "ann", "enabled": True, "secret": False}}})
    server = Server(answer(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"name": "ann"}'))
    run = make(server.url, iterations=40, concurrency=2, tests=TESTS, response_sample_rate=4)
    server.close()
    found = operator.get(f"{BASE}/run/{run.pk}/report").json()["testValidation"]
    assert run.status == "completed" and found["samplesTested"] == 10
    assert (found["testsPassed"], found["testsFailed"]) == (20, 10)
    assert found["successRate"] == pytest.approx(100 * 20 / 30) and len(found["failures"]) == 10


def test_blank_tests_and_tests_without_a_response(make, operator, target):
    for run in (
        make(target.url, iterations=2, tests=" \n"),
        make("http://nowhere.invalid/", iterations=2, tests="pm.test('x', () => {})"),
    ):
        assert "testValidation" not in operator.get(f"{BASE}/run/{run.pk}/report").json()


def test_thresholds(make, operator, target):
    limits = {"latencyP95Ms": 60_000, "maxErrorRatePct": 0, "minThroughputRps": 1e9, "latencyP50Ms": None}
    run = make(target.url, iterations=20, thresholds=limits)
    found = operator.get(f"{BASE}/run/{run.pk}/report").json()["thresholdValidation"]
    assert (run.status, found["verdict"], found["passed"], found["failed"]) == ("completed", "failed", 2, 1)
    checks = {check["metric"]: check for check in found["checks"]}
    assert checks["minThroughputRps"]["passed"] is False and checks["minThroughputRps"]["limit"] == 1e9
    assert checks["latencyP95Ms"]["actual"] > 0
