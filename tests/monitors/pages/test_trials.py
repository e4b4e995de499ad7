"""Try it now: the settings of the form run once, and nothing of it stays a monitor, a run or an alert."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitors.monitors.models import Monitor
from monitors.runs.models import Run, Status
from monitors.trials import services
from monitors.trials.models import Trial
from monitors.trials.tasks import execute, look_after
from tests.monitors.conftest import http_monitor
from tests.monitors.pages.conftest import FORM, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
TRY = "/monitors/new/try/"


@pytest.fixture
def attempt(browser: Any, tried: list[str], django_capture_on_commit_callbacks: Any) -> Any:
    """`attempt(form, path)` presses the button and lets a worker make the trial; (page, trial)."""
    person = browser("OPERATOR")

    def press(typed: dict[str, str], path: str = TRY) -> tuple[str, Trial]:
        with django_capture_on_commit_callbacks(execute=True):
            answer = person.post(path, typed, headers=HTMX)
        assert answer.status_code == 200, text(answer)
        trial = Trial.objects.get()
        assert tried == [str(trial.pk)]
        execute(tried[0])
        trial.refresh_from_db()
        return text(person.get(f"/monitors/trials/{trial.pk}/", headers=HTMX)), trial

    return press


def test_a_trial_measures_and_judges_without_saving(attempt: Any, local_server: Any) -> None:
    local_server.answer(delay_s=0.03)
    page, trial = attempt(FORM | {"url": local_server.url, "latency_ms": "5", "parameters": "API_KEY=tiger-42"})
    assert trial.status == Status.FAIL and trial.metrics["samples"] == 2
    assert "is over 5 ms" in page and "sample 2 of 2" in page and "[runner] trial" in page
    assert "tiger-42" not in str(Trial.objects.values().get())
    assert not Monitor.objects.exists() and not Run.objects.exists()


def test_a_trial_of_a_change_has_the_secrets_and_the_script_that_are_stored(
    attempt: Any, create: Any, local_server: Any
) -> None:
    local_server.answer()
    monitor = create(http_monitor(local_server.url, parameters={"API_KEY": "tiger-42"}))
    typed = FORM | {"url": local_server.url, "parameters": "API_KEY=********", "headers": "X-Key: ${API_KEY}"}
    _, trial = attempt(typed, f"/monitors/{monitor.pk}/edit/try/")
    assert trial.status == Status.PASS
    assert local_server.requests[-1].headers["x-key"] == "tiger-42"
    monitor.refresh_from_db()
    assert monitor.name == "Front page" and monitor.request.get("headers") is None and not Run.objects.exists()


def test_what_is_wrong_is_said_as_for_saving(browser: Any, tried: list[str]) -> None:
    person = browser("OPERATOR")
    for headers, status in ((HTMX, 200), ({}, 422)):
        answer = person.post(TRY, FORM | {"schedule": "61 * * * *", "url": "http://169.254.169.254/"}, headers=headers)
        assert answer.status_code == status and "Not tried" in text(answer) and "minute" in text(answer)
    assert not Trial.objects.exists() and not tried


def test_without_scripts_the_form_comes_back_with_the_trial_beside_it(browser: Any, tried: list[str]) -> None:
    person = browser("OPERATOR")
    page = person.post(TRY, FORM | {"name": "As typed"}).content.decode()
    assert 'value="As typed"' in page and f"/monitors/trials/{Trial.objects.get().pk}/" in page
    alone = person.get(f"/monitors/trials/{Trial.objects.get().pk}/")
    assert "Look again" in text(alone) and "<h1>" in alone.content.decode()


def test_a_queued_trial_is_cancelled_at_once_and_a_running_one_is_asked_to_stop(browser: Any, tried: list[str]) -> None:
    person = browser("OPERATOR")
    person.post(TRY, FORM)
    trial = Trial.objects.get()
    assert "Cancelled" in text(person.post(f"/monitors/trials/{trial.pk}/cancel/", headers=HTMX))
    execute(str(trial.pk))
    trial.refresh_from_db()
    assert trial.status == Status.CANCELLED and not trial.log
    person.post(TRY, FORM)
    running = services.claim(key=Trial.objects.get(status="queued").pk, now=timezone.now())
    assert "being cancelled" in text(person.post(f"/monitors/trials/{running.pk}/cancel/", headers=HTMX))


def test_only_so_many_at_once(browser: Any, tried: list[str]) -> None:
    person = browser("OPERATOR")
    for _ in range(services.MOST_EACH):
        person.post(TRY, FORM, headers=HTMX)
    assert "are not over yet" in text(person.post(TRY, FORM, headers=HTMX))
    assert Trial.objects.count() == services.MOST_EACH
    browser("OPERATOR").post(TRY, FORM, headers=HTMX)
    assert Trial.objects.count() == services.MOST_EACH + 1


def test_what_is_lost_is_sent_again_what_is_dead_ends_what_is_old_goes(browser: Any, tried: list[str]) -> None:
    now, person = timezone.now(), browser("OPERATOR")
    person.post(TRY, FORM)
    key = Trial.objects.get().pk
    look_after()
    assert tried == []  # the commit sends it; three seconds later the tick does
    services.look_after(now=now + timedelta(seconds=5))
    assert tried == [str(key)]
    services.claim(key=key, now=now)
    services.look_after(now=now + timedelta(seconds=61))
    assert Trial.objects.get().error_code == "worker_lost"
    Trial.objects.update(completed_at=now - timedelta(hours=2))
    person.post(TRY, FORM)
    services.look_after(now=now + timedelta(seconds=70))
    assert [one.error_code for one in Trial.objects.all()] == ["agent_unavailable"]


def test_a_viewer_tries_nothing(browser: Any, tried: list[str]) -> None:
    browser("OPERATOR").post(TRY, FORM)
    viewer, trial = browser("VIEWER"), Trial.objects.get()
    assert viewer.post(TRY, FORM).status_code == 403
    assert viewer.get(f"/monitors/trials/{trial.pk}/").status_code == 403
    assert viewer.post(f"/monitors/trials/{trial.pk}/cancel/").status_code == 403


def test_the_same_through_the_api(api: Any, tried: list[str], local_server: Any) -> None:
    local_server.answer()
    operator, path = api("OPERATOR"), "/api/monitors/trials"
    bad = operator.post(path, http_monitor("nope"))
    assert (bad.status_code, bad.json()["error"]) == (400, "invalid_request")
    answer = operator.post(path, http_monitor(local_server.url, thresholds={"latencyMs": 60_000}))
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    key = answer.json()["id"]
    execute(key)
    trial = operator.get(f"{path}/{key}").json()
    assert (trial["status"], trial["metrics"]["samples"], trial["thresholdBreaches"]) == ("pass", 1, [])
    assert "sample 1 of 1" in operator.get(f"{path}/{key}/logs").content.decode()
    assert operator.post(f"{path}/{key}/cancel").json()["status"] == "pass"
    assert operator.get(f"{path}/seven").status_code == 404
    assert api("VIEWER").post(path, http_monitor()).status_code == 403
    assert not Monitor.objects.exists()
