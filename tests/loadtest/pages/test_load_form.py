"""From a request to a run: the form, its curve, the start."""

import re
from typing import Any

import pytest

from loadtest.runs.models import Run
from loadtest.workspace.models import SavedRequest
from tests.loadtest.pages.conftest import text

pytestmark = pytest.mark.django_db

LOAD = {"mode": "constant_rps", "rate": "50", "duration": "2s", "limit_p95": "300", "comment": "why"}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run ids that were sent to the workers, instead of sending them."""
    from loadtest.runs.tasks import execute

    ids: list[str] = []
    monkeypatch.setattr(execute, "apply_async", lambda args, **options: ids.append(args[0]))
    return ids


def definition(answer: Any) -> str:
    return re.search(r'name="definition" value="([^"]*)"', answer.content.decode())[1]


def test_a_saved_request_is_loaded(browser: Any, saved: SavedRequest, sent: list[str]) -> None:
    SavedRequest.objects.update(url="http://127.0.0.1:9{{path}}")
    operator = browser("OPERATOR")
    form = operator.get("/loadtest/load/?request=req_1")
    assert "10 always in flight for 30 s" in text(form) and "<svg" in form.content.decode()
    answer = operator.post("/loadtest/load/start/", LOAD | {"definition": definition(form)})
    run = Run.objects.get()
    assert answer["Location"] == f"/loadtest/runs/{run.pk}/"
    assert (run.mode, run.request_id, run.config["targetRps"], run.config["comment"]) == (
        "constant_rps", "req_1", 50.0, "why"
    )  # fmt: skip
    assert run.config["thresholds"] == {"latencyP95Ms": 300.0} and "concurrency" not in run.config


def test_what_is_typed_but_not_saved_is_loaded_with_its_secret_hidden(
    browser: Any, saved: SavedRequest, sent: list[str]
) -> None:
    typed = {"method": "GET", "url": "http://127.0.0.1:9/x", "auth_mode": "bearer", "auth_bearer_token": "tiger-45"}
    operator = browser("OPERATOR")
    form = operator.post("/loadtest/load/", typed)
    assert "tiger-45" not in form.content.decode() and "http://127.0.0.1:9/x" in form.content.decode()
    operator.post("/loadtest/load/start/", LOAD | {"definition": definition(form)})
    assert Run.objects.get().config["url"] == "http://127.0.0.1:9/x"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate": "0"}, "'targetRps' must be greater than 0"),
        ({"rate": ""}, "Missing required field: targetRps"),
        ({"duration": "soon"}, "'duration' must be a duration"),
        ({"limit_p95": "-1"}, "thresholds.latencyP95Ms"),
        ({"mode": "sideways"}, "Select a valid choice"),
        ({"mode": "iterations", "iterations": "0"}, "'iterations' must be at least 1"),
        ({"rate": "many"}, "Enter a number"),
        ({"rate": "999999"}, "below the ADMIN role"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    browser: Any, saved: SavedRequest, changes: dict[str, str], said: str
) -> None:
    operator = browser("OPERATOR")
    form = operator.get("/loadtest/load/?request=req_1")
    answer = operator.post("/loadtest/load/start/", LOAD | changes | {"definition": definition(form)})
    assert answer.status_code == 422 and said.replace("'", "&#x27;") in text(answer)
    assert "field-error" in answer.content.decode() and 'value="why"' in answer.content.decode()
    assert not Run.objects.exists()


def test_a_changed_definition_is_refused(browser: Any, saved: SavedRequest) -> None:
    answer = browser("OPERATOR").post("/loadtest/load/start/", LOAD | {"definition": "v1:x:y"}, follow=True)
    assert "This form is out of date" in text(answer) and not Run.objects.exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"mode": "constant_rps", "rate": "20", "duration": "1m"}, "1,200 requests in 1 min, at most 1,000 unanswered"),
        (
            {"mode": "ramp_up", "start_concurrency": "1", "concurrency": "20", "ramp": "10s", "duration": "30s"},
            "From 1 to 20 in flight within 10 s, 30 s in all.",
        ),
        (
            {"mode": "ramp_up", "start_concurrency": "1", "concurrency": "20", "ramp": "10s", "duration": "5s"},
            "ends before the ramp does",
        ),
        ({"mode": "iterations", "iterations": "500", "concurrency": "8"}, "500 requests, at most 8 at once"),
        ({"mode": "constant_rps", "rate": "x"}, "Enter a number"),
        ({}, "This field is required"),
    ],
)
def test_the_plan_explains_itself(browser: Any, typed: dict[str, str], words: str) -> None:
    assert words in text(browser("OPERATOR").post("/loadtest/load/plan/", typed))


def test_a_ramp_is_drawn_with_its_corner(browser: Any) -> None:
    typed = {"mode": "ramp_up", "start_concurrency": "0", "concurrency": "10", "ramp": "5s", "duration": "10s"}
    page = browser("OPERATOR").post("/loadtest/load/plan/", typed).content.decode()
    assert re.search(r'class="curve s1" d="M72\.0 \S+L310\.0 \S+L548\.0 \S+"', page)


def test_a_run_is_done_again_with_its_own_settings(browser: Any, finished: Any, sent: list[str]) -> None:
    run = finished(config={"comment": "first", "thresholds": {"latencyP99Ms": 70}})
    operator = browser("OPERATOR")
    form = operator.get(f"/loadtest/load/?run={run.pk}")
    page = form.content.decode()
    assert 'value="first"' in page and 'value="70"' in page and 'value="5s"' in page
    fields = {"mode": "constant_concurrency", "concurrency": "4", "duration": "5s", "definition": definition(form)}
    operator.post("/loadtest/load/start/", fields)
    again = Run.objects.exclude(pk=run.pk).get()
    assert (again.config["url"], again.request_id) == (run.config["url"], "req_1")


def test_credentials_that_a_run_does_not_keep_come_from_the_saved_request(browser: Any, finished: Any) -> None:
    run = finished(config={"auth": {"mode": "bearer", "token": "********"}})
    page = text(browser("OPERATOR").get(f"/loadtest/load/?run={run.pk}"))
    assert "{{host}}{{path}}" in page
