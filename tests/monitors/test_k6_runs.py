"""Runs with the real k6: exit codes, limits, isolation (contract: monitors §8.1, §8.2)."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from monitors.runs.models import Status
from monitors.tools import process, workspace
from tests.monitors.conftest import k6_monitor

pytestmark = pytest.mark.django_db

GET = """
import http from 'k6/http';
import { check } from 'k6';
export const options = { iterations: 5, vus: 1 %s };
export default function () {
  const answer = http.get(__ENV.BASE);
  check(answer, { ok: (a) => a.status === 200 });
}
"""


@pytest.fixture
def k6_run(create: Any, run_now: Any, local_server: Any, operator: Any) -> Any:
    """`k6_run(script, **monitor)`: the finished run and its log."""

    def make(script: str, *, timeout_s: int | None = None, **fields: Any) -> Any:
        fields["parameters"] = {"BASE": local_server.url} | fields.get("parameters", {})
        monitor = create(k6_monitor(script, **fields))
        if timeout_s:
            monitor.timeout_s = timeout_s
            monitor.save(update_fields=["timeout_s"])
        run = run_now(monitor)
        return run, operator.get(f"/api/runs/{run.pk}/logs").content.decode()

    return make


def test_a_run_with_figures(k6_run: Any, local_server: Any) -> None:
    local_server.answer(delay_s=0.03)
    run, log = k6_run(GET % "", thresholds={"apdexTMs": 20})
    assert (run.status, run.exit_code, run.breaches) == (Status.PASS, 0, [])
    metrics = run.metrics
    assert (metrics["samples"], metrics["failed"], metrics["checksFailed"], metrics["errorRate"]) == (5, 0, 0, 0)
    assert 0 < metrics["apdex"] <= 0.5  # none within T, most within 4T
    assert 30 <= metrics["min"] <= metrics["p50"] <= metrics["p95"] <= metrics["p99"] <= metrics["max"] < 1000
    assert log.startswith("[runner] ") and "iterations" in log and "[runner] exit code 0" in log
    assert len(local_server.requests) == 5


def test_thresholds_of_the_monitor_and_of_the_script(k6_run: Any, local_server: Any) -> None:
    local_server.answer(status=500, delay_s=0.01)
    inside = ", thresholds: { http_req_duration: ['p(95)<1'], http_req_failed: ['rate<0.1'], checks: ['rate>=0'] }"
    run, _ = k6_run(GET % inside, thresholds={"errorRatePercent": 50})
    assert (run.status, run.exit_code, run.metrics["errorRate"], run.metrics["apdex"]) == (Status.FAIL, 99, 1, 0)
    assert run.metrics["checksFailed"] == 5
    by_name = {(one["threshold"], one["metric"]): one for one in run.breaches}
    assert by_name["errorRatePercent", "errorRate"]["actual"] == 100
    inside_one = by_name["script", "http_req_duration"]
    assert (inside_one["expression"], inside_one["limit"], inside_one["unit"]) == ("p(95)<1", 1, "ms")
    assert inside_one["actual"] == pytest.approx(run.metrics["p95"], abs=0.001)
    assert by_name["script", "http_req_failed"]["actual"] == 1
    assert len(run.breaches) == 3


@pytest.mark.parametrize(
    ("script", "status", "code", "exit_code"),
    [
        ("export default function ( {", "error", "script_error", 107),
        ("import x from './missing.js'; export default function () {}", "error", "script_error", 107),
        ("export default function () { throw new Error('boom') }", "error", "script_error", 0),
        ("export const options = { vus: 'many' }; export default function () {}", "error", "script_error", None),
        ("export const options = { iterations: 2 }; export default function () {}", "pass", "", 0),
        ("import e from 'k6/execution'; export default () => e.test.abort('no stock')", "fail", "", 108),
        ("import e from 'k6/execution'; export default () => e.test.fail('no stock')", "fail", "", 110),
    ],
)
def test_what_a_script_can_end_in(k6_run: Any, script: str, status: str, code: str, exit_code: int | None) -> None:
    run, log = k6_run(script)
    assert (run.status, run.error_code) == (status, code), log
    assert exit_code is None or run.exit_code == exit_code
    assert run.error_message or not code
    if status == "fail":
        assert [one["threshold"] for one in run.breaches] == ["script"]
        assert "no stock" in run.breaches[0]["message"]
    assert "pharos-run" not in run.error_message


def test_no_iterations_is_no_result(k6_run: Any) -> None:
    never = (
        "executor: 'ramping-arrival-rate', startRate: 0, preAllocatedVUs: 1, stages: [{target: 0, duration: '200ms'}]"
    )
    run, _ = k6_run(f"export const options = {{ scenarios: {{ none: {{ {never} }} }} }}; export default () => {{}}")
    assert (run.status, run.error_code, run.metrics) == (Status.ERROR, "no_samples", None)


def test_a_refused_connection_is_a_failed_request(k6_run: Any) -> None:
    run, _ = k6_run(GET % "", parameters={"BASE": "http://127.0.0.1:1/"})
    assert (run.status, run.metrics["errorRate"]) == (Status.FAIL, 1)
    assert run.breaches[0]["threshold"] == "availability"


@pytest.mark.parametrize(
    "body", ["while (true) {}", "http.get(__ENV.BASE)"], ids=["spins", "waits for a target that hangs"]
)
def test_a_script_that_never_ends(k6_run: Any, local_server: Any, body: str) -> None:
    local_server.answer(hang=True)
    script = f"import http from 'k6/http'; export default function () {{ {body} }}"
    began = time.monotonic()
    run, log = k6_run(script, timeout_s=1)
    assert (run.status, run.error) == (Status.TIMEOUT, None)
    assert time.monotonic() - began < 8
    assert "[runner] the time is over" in log
    assert not leftovers()


def test_a_script_that_prints_for_ever(k6_run: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(process, "MOST_OUTPUT", 4 * 1024 * 1024)
    script = "export default function () { while (true) console.log('x'.repeat(1000) + 'π') }"
    run, log = k6_run(script, timeout_s=20)
    assert (run.status, run.error_code) == (Status.ERROR, "output_limit")
    size = len(log.encode())
    assert 900_000 < size < 1024 * 1024 + 1000
    assert log.count("bytes left out") == 1
    assert log.rstrip().endswith("MiB.")


def test_the_environment_is_built_from_nothing(k6_run: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("PHAROS_VAULT_KEY", "not for scripts")
    script = "export default function () { console.log('env ' + Object.keys(__ENV).sort().join()) }"
    _, log = k6_run(script, parameters={"HOST": "h"})
    assert "env BASE,HOME,HOST,K6_AUTO_EXTENSION_RESOLUTION,K6_BINARY_PROVISIONING,LANG,NO_COLOR,PATH,TMPDIR\n" in log


def test_secrets_are_masked(k6_run: Any) -> None:
    script = """export default function () {
      console.log('token is ' + __ENV.API_TOKEN + ' or ' + encodeURIComponent(__ENV.API_TOKEN));
      throw new Error('used ' + __ENV.API_TOKEN);
    }"""
    run, log = k6_run(script, parameters={"API_TOKEN": "tiger & 42"})
    assert "tiger" not in log and "token is ******** or ********" in log
    assert "tiger" not in run.error_message and "********" in run.error_message


def test_metadata_addresses_are_closed(k6_run: Any) -> None:
    script = """import http from 'k6/http';
    export default function () { console.log('answer: ' + http.get('http://169.254.169.254/').error) }"""
    run, log = k6_run(script)
    assert "answer: ip is blacklisted" in log
    assert run.status == Status.FAIL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_becomes_somebody_else(k6_run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("for root only")
    secret.chmod(0o600)
    run, log = k6_run(f"const text = open('{secret}'); export default function () {{ console.log(text) }}")
    assert (run.status, run.error_code) == (Status.ERROR, "script_error")
    assert "for root only" not in log


def test_a_missing_program(k6_run: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("monitors.tools.programs.find", lambda name: None)
    run, _ = k6_run("export default function () {}")
    assert (run.status, run.error_code) == (Status.ERROR, "tool_unavailable")


def test_a_run_keeps_the_script_it_started_with(create: Any, operator: Any, sent: list[str]) -> None:
    from monitors.runs.models import Run
    from monitors.runs.tasks import execute
    from tests.monitors.conftest import encoded

    monitor = create(k6_monitor("export default function () { console.log('old one') }"))
    run_id = operator.post(f"/api/monitors/{monitor.pk}/run").json()["runId"]
    new = "export default function () { console.log('new one') }"
    operator.patch(f"/api/monitors/{monitor.pk}", {"scriptContent": encoded(new), "thresholds": {"avgMs": 0}})
    execute(run_id)
    assert "old one" in operator.get(f"/api/runs/{run_id}/logs").content.decode()
    assert operator.get(f"/api/runs/{run_id}").json()["scriptVersion"] == 1
    assert Run.objects.get(pk=run_id).status == Status.PASS


def leftovers() -> list[Path]:
    """Folders of runs made by this very process that are still there."""
    return list(workspace.place().glob(f"{workspace.PREFIX}{os.getpid()}-*"))
