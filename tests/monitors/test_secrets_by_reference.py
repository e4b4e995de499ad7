"""Monitor parameters whose values are read from the vault (docs/vault.md)."""

from typing import Any

import pytest
from django.utils import timezone

from monitors.monitors.models import Monitor
from monitors.runs import logs
from monitors.runs import services as runs
from monitors.runs.models import Run
from security.vault.models import Secret
from tests.factories import make_secret
from tests.monitors.agents.conftest import Remote
from tests.monitors.conftest import http_monitor

pytestmark = pytest.mark.django_db

VALUE = "tiger-4711-lily"
REQUEST = {"headers": {"Authorization": "Bearer ${API_TOKEN}"}}
PARAMETERS = {"API_TOKEN": "{{secret:PROD_TOKEN}}"}


@pytest.fixture
def token() -> Secret:
    return make_secret("PROD_TOKEN", VALUE, scope=("monitors",))


def test_a_run_sends_the_value_and_nothing_of_it_is_kept(
    token: Secret, create: Any, run_now: Any, operator: Any, local_server: Any
) -> None:
    local_server.answer(status=500, body=f"token {VALUE} is too old")
    monitor = create(http_monitor(local_server.url, request=REQUEST, parameters=PARAMETERS))
    run = run_now(monitor)
    [sent] = local_server.requests
    assert sent.headers["authorization"] == f"Bearer {VALUE}"
    answers = [f"/api/monitors/{monitor.pk}", f"/api/runs/{run.pk}", f"/api/runs/{run.pk}/logs"]
    shown = "".join(operator.get(path).content.decode() for path in answers)
    row = Monitor.objects.values_list("parameters", flat=True).get()
    stored = f"{row} {Run.objects.values().get()} {logs.read(run.pk)}"
    assert VALUE not in shown + stored
    assert row == PARAMETERS == operator.get(answers[0]).json()["parameters"]
    token.refresh_from_db()
    assert token.last_read_at


def test_a_new_value_counts_from_the_next_run(token: Secret, create: Any, run_now: Any, local_server: Any) -> None:
    monitor = create(http_monitor(local_server.url, request=REQUEST, parameters=PARAMETERS))
    version = token.versions.get()
    version.value = "lion-0815-rose"
    version.save()
    run_now(monitor)
    assert local_server.requests[0].headers["authorization"] == "Bearer lion-0815-rose"


def test_a_run_without_its_secret_ends_as_error_and_names_it(
    token: Secret, create: Any, run_now: Any, local_server: Any
) -> None:
    monitor = create(http_monitor(local_server.url, request=REQUEST, parameters=PARAMETERS))
    Secret.objects.filter(pk=token.pk).update(scope=["load-tests"])
    run = run_now(monitor)
    why = "The secret 'PROD_TOKEN' is not for monitors: its scope does not name 'monitors'"
    assert (run.status, run.error) == ("error", {"code": "secret_unavailable", "message": why})
    token.delete()
    assert run_now(monitor).error["message"] == "There is no secret 'PROD_TOKEN'"
    assert not local_server.requests


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{{secret:OTHER}}", "There is no secret 'OTHER'"),
        ("{{ secret:no name }}", "'no name' is no name of a secret"),
        ("Bearer {{secret:FOR_CHANNELS}}", "its scope does not name 'monitors'"),
        ("{{secret:BROKEN}}", "The secret 'BROKEN' cannot be read with the keys of this installation"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_not_saved(operator: Any, value: str, said: str) -> None:
    make_secret("FOR_CHANNELS", VALUE, scope=("channels",))
    make_secret("BROKEN", VALUE, scope=("monitors",)).versions.update(sealed_value="v1:none:of-it")
    answer = operator.post("/api/monitors", http_monitor(parameters={"API_TOKEN": value}))
    assert answer.status_code == 400
    assert said in answer.json()["details"]["parameters.API_TOKEN"][0]
    assert VALUE not in answer.content.decode() and not Monitor.objects.exists()


def test_a_request_names_the_parameter_and_not_the_secret(token: Secret, operator: Any) -> None:
    request = {"headers": {"Authorization": "Bearer {{secret:PROD_TOKEN}}"}}
    answer = operator.post("/api/monitors", http_monitor(request=request))
    assert answer.status_code == 400 and "${NAME}" in answer.json()["details"]["request"][0]


def test_the_form_keeps_a_reference_and_lists_what_may_be_used(token: Secret, browser: Any, create: Any) -> None:
    make_secret("FOR_CHANNELS", VALUE, scope=("channels",))
    monitor = create(http_monitor(parameters=PARAMETERS))
    page = browser("OPERATOR").get(f"/monitors/{monitor.pk}/edit/").content.decode()
    assert "API_TOKEN={{secret:PROD_TOKEN}}" in page and "FOR_CHANNELS" not in page


def test_an_agent_is_told_which_values_to_hide(token: Secret, api: Any, create: Any) -> None:
    oslo = Remote(api("ADMIN").post("/api/agents", {"name": "Oslo"}).json())
    monitor = create(http_monitor(agentId=oslo.id, parameters={"WHERE": "{{secret:PROD_TOKEN}}", "N": "5"}))
    run = runs.add(monitor=monitor, trigger="manual", now=timezone.now())
    job = oslo.claim()
    assert (job["parameters"], job["secretParameters"]) == ({"WHERE": VALUE, "N": "5"}, ["WHERE"])
    token.versions.create(number=2, sealed_value=token.versions.get().sealed_value)
    Secret.objects.filter(pk=token.pk).update(version=2)  # given out before the change: the older value is hidden too
    oslo.log(run.pk, f"at {VALUE}\n".encode())
    assert logs.read(run.pk) == "at ********\n"
    token.delete()
    runs.add(monitor=create(http_monitor(agentId=oslo.id, parameters={"N": "1"})), trigger="manual", now=timezone.now())
    waiting = runs.draft(monitor=monitor, script_id=None, trigger="manual", now=timezone.now())
    oslo.complete(run.pk, exitCode=0, error={"code": "internal", "message": "x"})
    waiting.save()
    assert oslo.claim()["parameters"] == {"N": "1"} and oslo.claim() is None
    assert Run.objects.get(pk=waiting.pk).error["message"] == "There is no secret 'PROD_TOKEN'"
