"""Secret values go in at every door, and come out nowhere: not in logs, answers, errors, the audit, the admin, tables.

One test, because a leak is looked for in everything at once. What a door must tell (a key when it is made, a value that
an administrator reveals) is asked for without being looked at.
"""

import base64
import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from structlog.stdlib import ProcessorFormatter

from security.audit.models import AuditEntry
from security.second_factor import services as second_factor
from tests.factories import PASSWORD, make_user
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db
PLANTED = {
    name: f"planted-{name}-7c1e5a0b9d"
    for name in ("vault", "vault-new", "vault-bad", "channel", "channel-bad", "password", "password-bad", "parameter",
                 "parameter-bad", "variable", "variable-bad", "login", "reference")
}  # fmt: skip


class Ears:
    """All that is logged, as the product writes it, and all that was answered."""

    def __init__(self) -> None:
        self.log, self.answers = io.StringIO(), []

    def hear(self, answer: Any) -> Any:
        body = answer.getvalue() if answer.streaming else answer.content
        self.answers.append((answer.request["PATH_INFO"], f"{dict(answer.headers)}{body.decode(errors='replace')}"))
        return answer


@pytest.fixture
def ears() -> Iterator[Ears]:
    """At the level of DEBUG, with the formatter of the settings."""
    found = Ears()
    root = logging.getLogger()
    formatter = next(one.formatter for one in root.handlers if isinstance(one.formatter, ProcessorFormatter))
    handler = logging.StreamHandler(found.log)
    handler.setFormatter(formatter)
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield found
    root.setLevel(before)
    root.removeHandler(handler)


def test_nothing_leaks(api: Any, ears: Ears, local_server: Any) -> None:
    client = api()
    client.raise_request_exception = False
    secrets = dict(PLANTED)
    vault(client, ears)
    channels(client, ears, local_server)
    secrets |= keys_and_passwords(client, ears)
    monitors(client, ears)
    variables(client, ears)
    look_around(api("VIEWER"), client, ears)
    assert "planted fault" in ears.log.getvalue(), "the log was not heard"
    everything = [("the log", ears.log.getvalue()), *ears.answers, *tables()]
    assert len(ears.answers) > 100 and AuditEntry.objects.count() > 10
    found = [
        (name, place) for place, text in everything for name, value in secrets.items()
        for written in (value, base64.b64encode(value.encode()).decode()) if written in text
    ]  # fmt: skip
    assert not found


def vault(client: ApiClient, ears: Ears) -> None:
    path = "/api/v1/secrets"
    body = {"name": "PLANTED", "value": PLANTED["vault"], "scope": ["monitors", "load-tests", "channels"]}
    made = ears.hear(client.post(path, body)).json()
    one = f"{path}/{made['id']}"
    assert ears.hear(client.post(path, body)).status_code == 409
    bad = PLANTED["vault-bad"]
    for wrong in ({"value": bad, "scope": "all"}, {"value": [bad]}, {"value": bad, "expiresAt": "never"}):
        assert ears.hear(client.put(one, wrong)).status_code == 400
    ears.hear(client.post(path, {"name": "not a name", "value": bad}))
    ears.hear(client.post(path, '{"value": "' + bad))
    ears.hear(client.put(one, {"value": PLANTED["vault-new"]}))
    with patch("security.vault.services._add_version", side_effect=RuntimeError("planted fault")):
        assert ears.hear(client.put(one, {"value": bad})).status_code == 500
    assert client.get(f"{one}/value?reason=test").json()["value"] == PLANTED["vault-new"]
    ears.hear(client.get(one))


def channels(client: ApiClient, ears: Ears, server: Any) -> None:
    path, value = "/api/v1/alerts/channels", PLANTED["channel"]
    config = {"url": f"{server.url}/hook", "headers": {"X-Token": value}, "secret": value}
    made = ears.hear(client.post(path, {"name": "hook", "type": "WEBHOOK", "config": config})).json()
    server.answer(status=500, body=f"go away {value}")
    ears.hear(client.post(f"{path}/{made['id']}/test"))
    bad = PLANTED["channel-bad"]
    for wrong in (
        {"url": 5, "secret": bad},
        {"url": "ftp://x", "headers": {"X": bad}},
        {"url": server.url, "secret": [bad]},
    ):
        ears.hear(client.put(f"{path}/{made['id']}", {"name": "hook", "type": "WEBHOOK", "config": wrong}))
    ears.hear(client.get(path))


def keys_and_passwords(client: ApiClient, ears: Ears) -> dict[str, str]:
    raw = client.post("/api/v1/me/api-keys", {"name": "own"}).json()["key"]
    ears.hear(ApiClient(headers={"X-Api-Key": raw}).get("/api/v1/me"))
    ears.hear(ApiClient(headers={"X-Api-Key": f"{raw}0"}).get("/api/v1/me"))
    ears.hear(client.put("/api/v1/admin/teams/nothing", {"name": raw}))
    ears.hear(client.get("/api/v1/me/api-keys"))
    person = {"email": "planted@example.org", "password": PLANTED["password"]}
    made = ears.hear(client.post("/api/v1/admin/users", person)).json()
    ears.hear(client.post("/api/v1/admin/users", person))
    bad = PLANTED["password-bad"]
    for wrong in ({"password": bad * 9}, {"password": [bad]}, {"password": bad, "role": "KING"}):
        ears.hear(client.put(f"/api/v1/admin/users/{made['id']}", wrong))
    ears.hear(client.put(f"/api/v1/admin/users/{made['id']}", {"password": PLANTED["password"]}))
    for given in (PLANTED["login"], PLANTED["password"]):
        ears.hear(Client().post("/login/", {"username": person["email"], "password": given}))
    user = make_user(password=PASSWORD)
    second_factor.begin(actor=user.principal(session_id="s"))
    browser = Client()
    browser.force_login(user)
    ears.hear(browser.post("/account/second-factor/", {"verb": "confirm", "code": "000000"}))
    ears.answers.pop()  # the page shows the secret to its owner until it is confirmed
    return {"key": raw, "second factor": second_factor.draft(user) or ""}


def monitors(client: ApiClient, ears: Ears) -> None:
    script = base64.b64encode(b"export default function () {}").decode()
    body = {"name": "M", "schedule": "*/5 * * * *", "tool": "k6", "scriptContent": script}
    made = ears.hear(client.post("/api/monitors", body | {"parameters": {"API_TOKEN": PLANTED["parameter"]}})).json()
    bad = {"parameters": {"API_TOKEN": PLANTED["parameter-bad"]}}
    for wrong in ({"schedule": "never"}, {"tool": "hammer"}, {"thresholds": 5}):
        ears.hear(client.put(f"/api/monitors/{made['id']}", body | bad | wrong))
    ears.hear(client.post("/api/monitors", body | {"parameters": {"X": {"deep": PLANTED["parameter-bad"]}}}))
    text = f"{PLANTED['reference']} {{{{secret:NOTHING}}}}"
    ears.hear(client.post("/api/monitors", body | {"parameters": {"API_TOKEN": text}}))
    ears.hear(client.post(f"/api/monitors/{made['id']}/run"))


def variables(client: ApiClient, ears: Ears) -> None:
    path = "/api/loadtest/environments"
    shown = {"key": {"value": PLANTED["variable"], "secret": True}}
    made = client.post(path, {"name": "E", "variables": shown})  # who may write reads it
    assert made.status_code in (200, 201), made.content
    hidden = {"key": {"value": PLANTED["variable-bad"], "secret": "perhaps"}}
    ears.hear(client.post(path, {"name": "F", "variables": hidden}))
    sent = {"method": "GET", "url": "http://127.0.0.1:9/", "headers": {"X-Key": "{{key}}"}}
    client.post("/api/loadtest/send", {"request": sent, "environmentId": made.json().get("id")})


def look_around(viewer: ApiClient, client: ApiClient, ears: Ears) -> None:
    """Lists as a viewer reads them, the audit with its files, and every page of the admin."""
    for path in ("/api/v1/secrets", "/api/v1/alerts/channels", "/api/monitors", "/api/loadtest/environments"):
        ears.hear(viewer.get(path))
    browser = Client()
    browser.force_login(client.user, backend="django.contrib.auth.backends.ModelBackend")
    for path in ("/audit/", "/audit/export.csv", "/audit/export.jsonl", "/settings/users/", "/alerts/channels/"):
        assert ears.hear(browser.get(path)).status_code == 200
    ears.hear(client.get("/api/v1/audit?limit=200"))
    for model in admin.site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        ears.hear(browser.get(base))
        for key in model._default_manager.values_list("pk", flat=True)[:5]:
            ears.hear(browser.get(f"{base}{key}/change/", follow=True))


def tables() -> Iterator[tuple[str, str]]:
    """Every row of every table: what is stored is sealed."""
    for model in apps.get_models():
        for row in model._default_manager.values()[:500]:
            yield f"table {model._meta.label}", json.dumps(row, default=str, ensure_ascii=False)
