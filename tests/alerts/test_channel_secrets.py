"""Credentials of channels that are read from the vault (docs/vault.md)."""

import pytest

from alerts.channels.models import Attempt, Channel
from tests.alerts.conftest import NOW, fire_alert, make_instance, make_rule, send_all
from tests.factories import make_secret

pytestmark = pytest.mark.django_db
URL = "/api/v1/alerts/channels"
VALUE = "tiger-4711-lily"


@pytest.fixture
def token():
    return make_secret("HOOK_TOKEN", VALUE, scope=("channels",))


@pytest.fixture
def made(api, local_server):
    """`made(type, config)` is a channel, through the API."""

    def make(type="WEBHOOK", **config):
        answer = api("OPERATOR").post(URL, {"name": "Operations", "type": type, "config": config})
        assert answer.status_code == 201, answer.content
        return Channel.objects.get(pk=answer.json()["id"])

    return make


def test_the_value_is_read_at_delivery_and_stored_nowhere(api, token, made, local_server):
    make_secret("HOOK_URL", f"{local_server.url}/T0/hidden-end", scope=("channels",))
    bearer = {"Authorization": "Bearer {{secret:HOOK_TOKEN}}"}
    hook = made(url=f"{local_server.url}/in", headers=bearer, secret="{{secret:HOOK_TOKEN}}")
    chat = made("SLACK", webhook_url="{{secret:HOOK_URL}}")
    assert hook.config["headers"] == bearer and chat.config == {"webhook_url": "{{secret:HOOK_URL}}"}
    listed = api("VIEWER").get(URL).json()["channels"]
    configs = {one["type"]: one["config"] for one in listed}
    assert configs == {"WEBHOOK": hook.config, "SLACK": chat.config}
    fire_alert(make_instance(), rule=make_rule(channels=(hook, chat)))
    assert send_all(NOW) == [True, True]
    sent = {request.path: request for request in local_server.requests}
    assert sent["/in"].headers["authorization"] == f"Bearer {VALUE}" and "/T0/hidden-end" in sent
    assert "x-pharos-signature" in sent["/in"].headers


def test_a_page_tells_from_which_secret_an_address_comes(token, made, local_server, browser):
    make_secret("HOOK_URL", f"{local_server.url}/T0/hidden-end", scope=("channels",))
    channel = made("SLACK", webhook_url="{{secret:HOOK_URL}}")
    pages = browser("OPERATOR")
    assert "the address in HOOK_URL" in pages.get("/alerts/channels/").content.decode()
    form = pages.get(f"/alerts/channels/{channel.pk}/edit/").content.decode()
    assert "{{secret:HOOK_URL}}" in form and "Usable here: HOOK_TOKEN, HOOK_URL." in form


def test_an_attempt_without_its_secret_fails_and_names_it(token, made, local_server):
    channel = made(url=local_server.url, secret="{{secret:HOOK_TOKEN}}")
    token.scope = ["monitors"]
    token.save()
    fire_alert(make_instance(), rule=make_rule(channels=(channel,)))
    assert send_all(NOW) == [False]
    said = "The secret 'HOOK_TOKEN' is not for notification channels: its scope does not name 'channels'"
    assert Attempt.objects.get().error == said and not local_server.requests


def test_what_the_other_side_says_does_not_bring_the_value_back(api, token, made, local_server):
    local_server.answer(status=403, body=f"{VALUE} is not known here")
    channel = made(url=f"{local_server.url}/{{{{secret:HOOK_TOKEN}}}}")
    answer = api("OPERATOR").post(f"{URL}/{channel.pk}/test").json()
    assert VALUE not in str(answer) and "{{secret:HOOK_TOKEN}} is not known here" in answer["error"]


def test_the_value_is_judged_when_it_is_saved_and_not_told(api):
    make_secret("HOOK_URL", "ftp://tiger-4711-lily.example.org/x", scope=("channels",))
    body = {"name": "Chat", "type": "SLACK", "config": {"webhook_url": "{{secret:HOOK_URL}}"}}
    answer = api("OPERATOR").post(URL, body)
    assert answer.status_code == 400 and "tiger" not in answer.content.decode()
    assert "config.webhook_url" in answer.json()["details"]["fieldErrors"]
    body["config"]["webhook_url"] = "{{secret:NONE}}"
    errors = api("OPERATOR").post(URL, body).json()["details"]["fieldErrors"]
    assert errors == {"config.webhook_url": ["There is no secret 'NONE'"]}


def test_a_mask_does_not_follow_an_address_that_has_changed(api, token, made, local_server):
    make_secret("WHERE", local_server.url, scope=("channels",))
    channel = made(url="{{secret:WHERE}}", secret="typed by hand")
    for url, status in (("https://elsewhere.example.org/", 400), ("{{secret:WHERE}}", 200)):
        answer = api("OPERATOR").put(f"{URL}/{channel.pk}", {"config": {"url": url, "secret": "***"}})
        assert answer.status_code == status, answer.content
