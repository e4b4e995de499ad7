"""Browser checks with a real Chromium against pages on loopback."""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from monitors.runs.models import Screenshot, Status
from monitors.tools import registry
from tests.monitors.conftest import encoded, k6_monitor

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.browser]

PAGE = """<!doctype html><title>Shop</title><h1>Welcome</h1><div id="late"></div><p>Text below</p>
<script>
const shift = () => setTimeout(() => { document.getElementById("late").style.height = "300px" }, 50);
new PerformanceObserver(shift).observe({ type: "paint", buffered: true });
</script>"""
OPEN = """
async def run(page, params):
    await page.goto(params["BASE"])
    {body}
"""


@pytest.fixture
def shop(local_server: Any) -> Any:
    local_server.answer(body=PAGE.encode(), headers={"Content-Type": "text/html"}, delay_s=0.05)
    return local_server


def test_a_page_and_its_web_vitals(tool_run: Any, shop: Any, api: Callable) -> None:
    body = (
        "await page.wait_for_function(\"document.getElementById('late').offsetHeight == 300\"); "
        "assert await page.text_content('h1') == 'Welcome'"
    )
    run, log = tool_run("browser", OPEN.format(body=body), parameters={"ITERATIONS": "2"}, thresholds={"p50Ms": 9000})
    assert (run.status, run.exit_code, run.breaches) == (Status.PASS, 0, []), log
    metrics = run.metrics
    assert (metrics["samples"], metrics["failed"], metrics["checksFailed"]) == (2, 0, 0)
    assert 50 <= metrics["min"] <= metrics["p95"] <= metrics["max"] < 9000
    assert 50 <= metrics["ttfbMs"] <= metrics["fcpMs"] <= metrics["lcpMs"] < 9000
    assert 0 < metrics["cls"] < 1  # the text below was pushed down
    assert 0 < metrics["throughput"] < 20 and log.count("loaded in") == 2
    assert not Screenshot.objects.exists()
    assert api("VIEWER").get(f"/api/runs/{run.pk}/screenshot").status_code == 404


def test_what_a_failed_check_showed(tool_run: Any, shop: Any, api: Callable, browser: Callable) -> None:
    body = "assert await page.text_content('h1') == 'Basket', 'no basket for ' + params['API_TOKEN']"
    run, log = tool_run("browser", OPEN.format(body=body), parameters={"API_TOKEN": "tiger-4242"})
    assert (run.status, run.error, run.metrics["samples"]) == (Status.FAIL, None, 1), log
    assert (run.metrics["failed"], run.metrics["checksFailed"]) == (0, 1)
    (breach,) = run.breaches
    assert breach["threshold"] == "script" and "AssertionError: no basket for ********" in breach["message"]
    assert "tiger" not in log and 'File "script.py", line 4' in log and "driver.py" not in log
    path = f"/api/runs/{run.pk}/screenshot"
    answer = api("VIEWER").get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer.content.startswith(b"\xff\xd8\xff") and len(answer.content) <= 512 * 1024
    assert api(None).get(path).status_code == 401
    page = browser("VIEWER").get(f"/runs/{run.pk}/").content.decode()
    assert f'src="/runs/{run.pk}/screenshot/"' in page and "Largest contentful paint" in page
    assert browser("VIEWER").get(f"/runs/{run.pk}/screenshot/").content == answer.content


def test_pages_that_fail(tool_run: Any, shop: Any) -> None:
    shop.answer(status=500, body=b"<h1>Broken</h1>", headers={"Content-Type": "text/html"})
    run, log = tool_run("browser", OPEN.format(body="pass"), thresholds={"errorRatePercent": 10})
    assert (run.status, run.metrics["errorRate"]) == (Status.FAIL, 1), log
    assert Screenshot.objects.filter(run=run).exists()


def test_a_server_that_is_not_there(tool_run: Any) -> None:
    run, log = tool_run("browser", OPEN.format(body="pass"), parameters={"BASE": "http://127.0.0.1:1/"})
    assert (run.status, run.metrics["samples"], run.metrics["failed"]) == (Status.FAIL, 1, 1), log
    assert "ERR_" in run.breaches[-1]["message"]
    assert run.metrics["lcpMs"] is None


def test_metadata_addresses_are_closed(tool_run: Any) -> None:
    run, log = tool_run("browser", OPEN.format(body="pass"), parameters={"BASE": "http://169.254.169.254/latest/"})
    assert "ERR_NAME_NOT_RESOLVED" in log, log
    assert run.status == Status.FAIL


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        ("import missing_module\nasync def run(page, params): pass\n", "script_error", "missing_module"),
        ("async def run(page, params):\n    raise ValueError('too early')\n", "script_error", "too early"),
        ("async def run(page, params):\n    pass\n", "no_samples", "opened no page"),
        ("import os\nasync def run(page, params):\n    os._exit(7)\n", "internal", "exit code 7"),
    ],
)
def test_scripts_without_a_page(tool_run: Any, script: str, code: str, says: str) -> None:
    run, log = tool_run("browser", script)
    assert (run.status, run.error_code, run.metrics) == (Status.ERROR, code, None), log
    assert says in run.error_message


def test_the_time_is_over(tool_run: Any, shop: Any) -> None:
    began = time.monotonic()
    run, log = tool_run("browser", OPEN.format(body="await page.wait_for_timeout(60000)"), timeout_s=3)
    assert run.status == Status.TIMEOUT, log
    assert time.monotonic() - began < 15


def test_it_runs_as_somebody_else(tool_run: Any, shop: Any) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    body = "import os; print('user', os.getuid(), sorted(name for name in os.environ if 'PHAROS' in name))"
    _, log = tool_run("browser", OPEN.format(body=body))
    assert "user 0 " not in log and log.count("user 6") == 1 and "[]" in log


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("async def run(page:", "not Python"),
        ("def run(page, params): pass", "async def run(page, params)"),
        ("async def run(page): pass", "async def run(page, params)"),
        ("class A:\n    async def run(page, params): pass", "async def run(page, params)"),
    ],
)
def test_what_is_no_browser_script_is_refused(admin: Any, script: str, says: str) -> None:
    answer = admin.post("/api/monitors", k6_monitor(script, tool="browser"))
    assert answer.status_code == 400 and says in answer.json()["details"]["script"][0]


def test_iterations_have_a_limit(admin: Any) -> None:
    good = {"scriptContent": encoded(OPEN.format(body="pass"))}
    for count, status in (("0", 400), ("101", 400), ("x", 400), ("100", 201)):
        answer = admin.post("/api/monitors", k6_monitor(tool="browser", parameters={"ITERATIONS": count}) | good)
        assert answer.status_code == status, count


def test_no_browser(tool_run: Any, settings: Any) -> None:
    settings.CHROMIUM = "/nowhere/chromium"
    run, _ = tool_run("browser", OPEN.format(body="pass"))
    assert (run.status, run.error_code) == (Status.ERROR, "tool_unavailable")
    assert "pip install playwright" in run.error_message
    assert "browser" not in registry.versions()


def test_the_version_is_chromiums(admin: Any) -> None:
    assert registry.versions()["browser"].split(".")[0].isdigit()
