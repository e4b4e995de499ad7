"""The pages of monitors and runs, as a browser without scripts uses them."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from monitors.monitors import parameters
from monitors.monitors.models import Monitor
from monitors.runs import services
from monitors.runs.models import Run, Status
from tests.factories import make_user
from tests.monitors.conftest import http_monitor, k6_monitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Any:
    """`people("VIEWER")` is the browser of somebody with that role, signed in."""

    def browser(role: str = "OPERATOR") -> Client:
        client = Client()
        client.force_login(make_user(role=role), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return browser


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


FORM = {
    "name": "Front page",
    "url": "http://127.0.0.1:9/",
    "method": "GET",
    "samples": "2",
    "concurrency": "1",
    "timeout_ms": "1000",
    "follow_redirects": "on",
    "verify_tls": "on",
    "schedule": "*/5 * * * *",
    "time_zone": "UTC",
    "enabled": "on",
    "alert_after": "1",
    "recover_after": "1",
    "latency_ms": "250.5",
    "tags": "shop, front",
    "parameters": "HOST=example.org\nAPI_KEY=tiger-42",
    "headers": "Accept: text/html",
    "expect_status": "200, 3xx",
}


def test_a_monitor_is_made_by_a_form(people: Any) -> None:
    browser = people()
    assert "Five fields" in text(browser.get("/monitors/new/"))
    answer = browser.post("/monitors/new/", FORM)
    monitor = Monitor.objects.get()
    assert answer.status_code == 302 and answer["Location"] == reverse("ui:monitor", args=[monitor.pk])
    assert (monitor.thresholds, monitor.tags) == ({"latencyMs": 250.5}, ["shop", "front"])
    assert monitor.request["expect"] == {"status": [200, "3xx"]}
    assert parameters.opened(monitor.parameters, monitor_id=monitor.pk) == {
        "HOST": "example.org",
        "API_KEY": "tiger-42",
    }


def test_a_script_comes_as_text_or_file(people: Any) -> None:
    browser = people()
    shared = {name: FORM[name] for name in ("name", "schedule", "time_zone", "enabled", "alert_after", "recover_after")}
    assert browser.post("/monitors/new/?tool=k6", shared).status_code == 422
    assert browser.post("/monitors/new/?tool=k6", shared | {"script": "// as text\r\n"}).status_code == 302
    assert Monitor.objects.get().script.body == "// as text\n"
    file = SimpleUploadedFile("shop.js", b"// as file")
    assert browser.post("/monitors/new/?tool=k6", shared | {"name": "B", "script_file": file}).status_code == 302
    assert Monitor.objects.get(name="B").script.name == "shop.js"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "required"),
        ("schedule", "* * * *", "five fields"),
        ("schedule", "@reboot", "not known"),
        ("time_zone", "Mars", "no IANA time zone"),
        ("url", "http://169.254.169.254/", "not allowed"),
        ("url", "http://${NOWHERE}/", "no parameter NOWHERE"),
        ("latency_ms", "-1", "greater than or equal"),
        ("parameters", "PATH=x", "reserved"),
        ("parameters", "no sign here", "has no ="),
        ("headers", "no sign here", "has no :"),
        ("expect_status", "700", "100 to 599"),
        ("timeout_s", "301", "longer than the shortest gap"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(people: Any, field: str, value: str, said: str) -> None:
    answer = people().post("/monitors/new/", FORM | {field: value})
    assert answer.status_code == 422
    assert said in text(answer) and "Not saved" in text(answer)
    assert "tiger-42" in answer.content.decode() or field == "parameters"
    assert not Monitor.objects.exists()


def test_editing_keeps_secrets_and_removes_what_is_gone(people: Any, create: Any) -> None:
    monitor = create(
        http_monitor(
            thresholds={"latencyMs": 5, "p50Ms": 3},
            parameters={"API_KEY": "tiger-42", "OLD": "1"},
            request={"expect": {"bodyContains": "ok", "maxBytes": 9}},
            timeoutSeconds=60,
        )
    )
    browser, path = people(), f"/monitors/{monitor.pk}/edit/"
    page = browser.get(path).content.decode()
    assert "tiger-42" not in page and f"API_KEY={parameters.MASK}" in page
    typed = FORM | {"parameters": f"API_KEY={parameters.MASK}", "expect_status": "", "timeout_s": ""}
    assert browser.post(path, typed).status_code == 302
    monitor.refresh_from_db()
    assert monitor.thresholds == {"latencyMs": 250.5}
    assert parameters.opened(monitor.parameters, monitor_id=monitor.pk) == {"API_KEY": "tiger-42"}
    assert monitor.request["expect"] == {"maxBytes": 9}
    assert monitor.timeout_s is None


def test_saving_and_running_at_once(people: Any, sent: list[str]) -> None:
    answer = people().post("/monitors/new/", FORM | {"run": "1"})
    assert answer["Location"] == reverse("ui:run", args=[Run.objects.get().pk])


def test_the_schedule_explains_itself(people: Any) -> None:
    browser = people()
    answer = browser.get("/monitors/schedule/", {"schedule": "0 6 * * 1", "time_zone": "Europe/Oslo"})
    assert "At 06:00 on Monday" in text(answer) and answer.content.decode().count("<li>") == 5
    for bad in ("61 * * * *", "0 0 31 2 *", ""):
        answer = browser.get("/monitors/schedule/", {"schedule": bad, "time_zone": "UTC"})
        assert answer.status_code == 200 and "▲" in text(answer)
    assert "no time zone" in text(browser.get("/monitors/schedule/", {"schedule": "* * * * *", "time_zone": "../x"}))


def test_the_list_filters_groups_and_says_when_nothing_is_there(people: Any, create: Any) -> None:
    browser = people("VIEWER")
    assert "runs a script on a schedule" in text(browser.get("/monitors/"))
    create(name="Alpha", tags=["shop"])
    create(k6_monitor(name="Beta", enabled=False))
    assert "Not run yet" in text(browser.get("/monitors/")) and "New monitor" not in text(browser.get("/monitors/"))
    answer = text(browser.get("/monitors/?tool=k6"))
    assert "Beta" in answer and "Alpha" not in answer and "Paused" in answer
    assert "Beta" not in text(browser.get("/monitors/?tag=shop"))
    assert "No tag" in text(browser.get("/monitors/?group=tag"))
    assert "No monitor matches" in text(browser.get("/monitors/?search=zzz"))
    for odd in ("?tool=ping&page=99", "?status=odd", "?enabled=7&group=x&tag=none"):
        assert browser.get(f"/monitors/{odd}").status_code == 200
        assert browser.get(f"/monitors/rows/{odd}").status_code == 200


def test_a_monitor_and_its_run(people: Any, create: Any, run_now: Any, local_server: Any) -> None:
    local_server.answer(delay_s=0.03)
    limits = {"latencyMs": 10, "errorRatePercent": 1, "apdexMin": 0.5}
    monitor = create(http_monitor(local_server.url, thresholds=limits, parameters={"API_KEY": "tiger-42"}))
    run = run_now(monitor)
    browser = people("VIEWER")
    page = browser.get(f"/monitors/{monitor.pk}/")
    assert "Failing" in text(page) and "95 % of requests within" in text(page) and "Run now" not in text(page)
    assert "tiger-42" not in page.content.decode()
    chart = browser.get(f"/monitors/{monitor.pk}/chart/").json()
    assert chart["threshold"]["value"] == 10
    assert chart["series"][0]["points"][0][1] == run.metrics["p95"]
    for part in ("figures", "runs"):
        assert browser.get(f"/monitors/{monitor.pk}/parts/{part}/").status_code == 200
    assert browser.get(f"/monitors/{monitor.pk}/parts/else/").status_code == 404

    page = text(browser.get(f"/runs/{run.pk}/"))
    assert "Fail" in page and "is over 10 ms" in page and "[runner] run" in page
    assert "sample 1 of 1" in text(browser.get(f"/runs/{run.pk}/?q=SAMPLE"))
    assert "[runner] run" not in text(browser.get(f"/runs/{run.pk}/body/?q=SAMPLE"))
    assert "No line contains" in text(browser.get(f"/runs/{run.pk}/?q=zzz"))


@pytest.mark.parametrize("status", [*Status.values, "waiting"])
def test_a_run_in_each_state(people: Any, create: Any, status: str) -> None:
    now = timezone.now()
    run = services.add(monitor=create(), trigger="manual", now=now, waiting=status == "waiting")
    if status not in ("queued", "waiting"):
        run = services.claim(run_id=run.pk, now=now)
    if status not in ("queued", "waiting", "running"):
        error = ("no_samples", "Nothing was measured.") if status == "error" else None
        services.finish(run=run, status=Status(status), now=now, error=error)
    page = text(people().get(f"/runs/{run.pk}/"))
    assert ("Cancel run" in page) == (status in ("queued", "waiting", "running"))
    assert status != "error" or "Nothing was measured." in page
    assert people().get(f"/monitors/{run.monitor_id}/").status_code == 200


def test_running_pausing_and_cancelling(people: Any, create: Any, sent: list[str]) -> None:
    monitor, browser = create(), people()
    path = f"/monitors/{monitor.pk}"
    run_page = browser.post(f"{path}/run/")["Location"]
    assert browser.post(f"{path}/run/")["Location"] == run_page
    assert browser.get(f"{path}/run/").status_code == 405
    browser.post(f"{run_page}cancel/")
    assert Run.objects.get().status == Status.CANCELLED
    browser.post(f"{path}/pause/")
    monitor.refresh_from_db()
    assert not monitor.enabled
    assert "Resume" in text(browser.get(f"{path}/"))
    browser.post(f"{path}/resume/")
    monitor.refresh_from_db()
    assert monitor.enabled and monitor.next_run_at


def test_deleting_needs_the_name(people: Any, create: Any) -> None:
    monitor, browser = create(), people()
    path = f"/monitors/{monitor.pk}/delete/"
    assert "with their logs" in text(browser.get(path))
    assert browser.post(path, {"confirm": "else"}).status_code == 422
    assert Monitor.objects.exists()
    assert browser.post(path, {"confirm": "Front page"})["Location"] == "/monitors/"
    assert not Monitor.objects.exists()


def test_who_may_not_gets_the_page_that_says_so(people: Any, create: Any, sent: list[str]) -> None:
    monitor, viewer = create(), people("VIEWER")
    run = services.add(monitor=monitor, trigger="manual", now=timezone.now())
    for path in (
        "/monitors/new/",
        f"/monitors/{monitor.pk}/edit/",
        f"/monitors/{monitor.pk}/delete/",
        "/monitors/schedule/",
    ):
        assert viewer.get(path).status_code == 403
    for name in ("run", "pause", "resume", "delete"):
        assert viewer.post(f"/monitors/{monitor.pk}/{name}/").status_code == 403
    assert viewer.post(f"/runs/{run.pk}/cancel/").status_code == 403
    assert Client().get(f"/runs/{run.pk}/").status_code == 302
    assert viewer.get("/runs/6f1f2c8e-0000-4000-8000-000000000000/").status_code == 404
    assert viewer.get("/runs/seven/").status_code == 404


def test_the_list_asks_the_database_as_often_for_many(people: Any, create: Any) -> None:
    browser = people()

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert browser.get("/monitors/").status_code == 200
        return len(found)

    create()
    few = queries()
    for number in range(20):
        run = services.add(monitor=create(name=f"m{number}"), trigger="manual", now=timezone.now())
        services.finish(run=run, status=Status.CANCELLED, now=timezone.now())
    assert queries() == few <= 30
