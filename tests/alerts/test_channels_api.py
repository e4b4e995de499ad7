"""`/api/v1/alerts/channels` (contract: fleet console §11)."""

import pytest

from alerts.channels.models import Channel
from security.audit.models import AuditEntry
from tests.alerts.conftest import make_channel, make_rule

URL = "/api/v1/alerts/channels"
HOOK = {
    "name": "Operations",
    "type": "WEBHOOK",
    "config": {
        "url": "https://hooks.example.org/in",
        "secret": "s3cret-value",
        "headers": {"X-Team": "ops", "Authorization": "Bearer abc", "X-Api-Key": "k"},
    },
}
SLACK = {
    "name": "Chat",
    "type": "SLACK",
    "config": {"webhook_url": "https://hooks.example.org/services/T0/B0/xyz", "channel": "#ops"},
}
MAIL = {"name": "Mail", "type": "EMAIL", "config": {"recipients": ["ops@example.org"], "subject_prefix": "[ours]"}}


def test_a_channel_is_made_read_and_deleted_without_telling_its_secrets(api):
    operator = api("OPERATOR")
    made = operator.post(URL, HOOK)
    assert made.status_code == 201, made.content
    channel = made.json()
    assert channel["config"] == {
        "url": "https://hooks.example.org/in",
        "secret": "***",
        "headers": {"X-Team": "ops", "Authorization": "***", "X-Api-Key": "***"},
    }
    assert channel["enabled"] is True and channel["ruleCount"] == 0 and channel["createdBy"] == operator.user.pk
    assert channel["monitorAlerts"] is True and channel["notifyResolved"] is True
    row = Channel.objects.get()
    assert row.config == HOOK["config"] and "s3cret" not in row.sealed_config
    make_rule(channels=[row])
    listed = operator.get(URL).json()
    assert listed == {"channels": [channel | {"ruleCount": 1}]}
    gone = operator.delete(f"{URL}/{channel['id']}")
    assert gone.json() == {"message": "Channel deleted", "id": channel["id"], "name": "Operations"}
    assert operator.get(f"{URL}/{channel['id']}").status_code == 404
    entries = AuditEntry.objects.filter(resource="channel")
    assert entries.count() == 2
    assert not any("s3cret" in str(entry.metadata) or "abc" in str(entry.metadata) for entry in entries)


def test_masks_sent_back_keep_what_is_stored(api):
    operator = api("OPERATOR")
    address = f"{URL}/{operator.post(URL, HOOK).json()['id']}"
    config = operator.get(address).json()["config"]
    config |= {"method": "PUT", "url": "https://hooks.example.org/other"}
    assert operator.put(address, {"config": config}).status_code == 200
    assert Channel.objects.get().config == HOOK["config"] | {"method": "PUT", "url": "https://hooks.example.org/other"}
    config["secret"] = "another"
    del config["headers"]
    operator.put(address, {"config": config, "name": "Renamed", "enabled": False, "monitorAlerts": False})
    row = Channel.objects.get()
    assert row.config == {"url": config["url"], "method": "PUT", "secret": "another"}
    assert (row.name, row.enabled, row.monitor_alerts) == ("Renamed", False, False)


def test_the_end_of_a_slack_address_is_a_secret(api):
    operator = api("OPERATOR")
    channel = operator.post(URL, SLACK).json()
    assert channel["config"]["webhook_url"] == "https://hooks.example.org/services/T0/B0/***"
    answer = operator.put(f"{URL}/{channel['id']}", {"config": channel["config"] | {"username": "watch"}})
    assert answer.status_code == 200
    assert Channel.objects.get().config == SLACK["config"] | {"username": "watch"}


def test_a_mask_without_a_stored_value_is_refused(api):
    operator = api("OPERATOR")
    for config in ({"secret": "***"}, {"headers": {"X-Token": "***"}}):
        answer = operator.post(URL, HOOK | {"config": {"url": "https://example.org/"} | config})
        assert answer.status_code == 400, config
    slack = operator.post(URL, SLACK).json()
    moved = {"webhook_url": "https://elsewhere.example.org/services/T0/B0/***"}
    assert operator.put(f"{URL}/{slack['id']}", {"config": moved}).status_code == 400


@pytest.mark.parametrize("url", ["https://elsewhere.example.org/hook", "http://hooks.example.org/hook"])
def test_a_kept_secret_goes_to_no_other_server(api, url):
    operator = api("OPERATOR")
    address = f"{URL}/{operator.post(URL, HOOK).json()['id']}"
    config = operator.get(address).json()["config"] | {"url": url}
    assert operator.put(address, {"config": config}).status_code == 400
    assert Channel.objects.get().config == HOOK["config"]
    anew = {"url": url, "secret": "mine"}
    assert operator.put(address, {"config": anew}).status_code == 200 and Channel.objects.get().config == anew


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (HOOK | {"config": {}}, "config.url"),
        (HOOK | {"config": {"url": "ftp://example.org/"}}, "config.url"),
        (HOOK | {"config": {"url": 5}}, "config.url"),
        (HOOK | {"config": {"url": "https://example.org/", "method": "GET"}}, "config.method"),
        (HOOK | {"config": {"url": "https://example.org/", "secret": "s" * 257}}, "config.secret"),
        (HOOK | {"config": {"url": "https://example.org/", "headers": {"Host": "x"}}}, "config.headers"),
        (HOOK | {"config": {"url": "https://example.org/", "headers": {"X": "a\r\nY: b"}}}, "config.headers"),
        (HOOK | {"config": {"url": "https://example.org/", "headers": {"X": 5}}}, "config.headers.X"),
        (HOOK | {"config": []}, "config"),
        (HOOK | {"type": "SLACK"}, "config.webhook_url"),
        (HOOK | {"type": "PAGER"}, "type"),
        (HOOK | {"type": "IN_APP", "config": {"user_ids": ["nobody"]}}, "config.user_ids"),
        (HOOK | {"type": "TEAMS", "config": {"webhook_url": "http://10.0.0.1/"}}, "config.webhook_url"),
        (HOOK | {"type": "PAGERDUTY", "config": {}}, "config.routing_key"),
        (HOOK | {"type": "TELEGRAM", "config": {"bot_token": "a/b", "chat_id": "1"}}, "config.bot_token"),
        (HOOK | {"type": "OPSGENIE", "config": {"api_key": "k", "api_url": "http://10.0.0.1/"}}, "config.api_url"),
        (HOOK | {"name": "n" * 129}, "name"),
        (SLACK | {"config": SLACK["config"] | {"icon_emoji": "x" * 33}}, "config.icon_emoji"),
        (MAIL | {"config": {"recipients": []}}, "config.recipients"),
        (MAIL | {"config": {"recipients": ["a@example.org"] * 21}}, "config.recipients"),
        (MAIL | {"config": {"recipients": ["a@example.org\nBcc: b@example.org"]}}, "config.recipients.0"),
        (MAIL | {"config": MAIL["config"] | {"subject_prefix": "p" * 65}}, "config.subject_prefix"),
    ],
)
def test_a_config_must_fit_its_type(api, body, field):
    answer = api("OPERATOR").post(URL, body)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["details"]["fieldErrors"]
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    ("type", "config", "secret"),
    [
        ("IN_APP", {}, ""),
        ("TEAMS", {"webhook_url": "https://example.org/hook/s3cret"}, "s3cret"),
        ("PAGERDUTY", {"routing_key": "s3cret"}, "s3cret"),
        ("OPSGENIE", {"api_key": "s3cret", "api_url": "https://api.eu.example.org"}, "s3cret"),
        ("TELEGRAM", {"bot_token": "12:s3cret", "chat_id": "-100"}, "s3cret"),
        ("NTFY", {"topic": "ops"}, "s3cret"),
    ],
)
def test_channels_of_services_keep_their_secrets(api, type, config, secret):
    operator = api("OPERATOR")
    made = operator.post(URL, {"name": "Pager", "type": type, "config": config})
    assert made.status_code == 201 and (not secret or secret not in made.text)
    path, shown = f"{URL}/{made.json()['id']}", made.json()["config"]
    assert operator.put(path, {"config": shown}).status_code == 200
    assert Channel.objects.get().config == config, "a mask keeps what is stored"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://0/",
        "http://user:pass@example.org/",
        "http://example.org\\@127.0.0.1/",
        "http://example.org:0/",
        "file:///etc/passwd",
        "//example.org/",
        "http://",
        "http:// example.org/",
    ],
)
def test_hostile_addresses_are_refused_when_stored(api, url):
    for body in (HOOK | {"config": {"url": url}}, SLACK | {"config": {"webhook_url": url}}):
        assert api("OPERATOR").post(URL, body).status_code == 400


def test_the_type_of_a_channel_stays(api):
    operator = api("OPERATOR")
    channel = operator.post(URL, MAIL).json()
    answer = operator.put(f"{URL}/{channel['id']}", {"type": "WEBHOOK", "config": HOOK["config"]})
    assert answer.status_code == 400 and "type" in answer.json()["details"]["fieldErrors"]
    assert operator.put(f"{URL}/{channel['id']}", {"type": "EMAIL", "name": "Post"}).status_code == 200


def test_test_delivers_for_real_and_shows_the_answer(api, local_server):
    channel = make_channel(f"{local_server.url}/in", enabled=False)
    answer = api("OPERATOR").post(f"{URL}/{channel.pk}/test")
    assert answer.status_code == 200 and answer.json()["success"] is True
    assert answer.json()["answer"].startswith("HTTP 200")
    (request,) = local_server.requests
    sent = request.json()
    assert (sent["alertId"], sent["ruleId"]) == ("test-alert-id", "test-rule-id")
    assert (sent["severity"], sent["title"]) == ("INFO", "Test Notification")
    local_server.answer(status=410, body="gone for good")
    refused = api("OPERATOR").post(f"{URL}/{channel.pk}/test").json()
    assert refused["success"] is False and "HTTP 410" in refused["error"] and "gone for good" in refused["error"]
    assert api("OPERATOR").post(f"{URL}/nothing/test").status_code == 404


def test_roles(api):
    viewer, channel = api("VIEWER"), make_channel("https://example.org/")
    assert viewer.get(URL).status_code == 200 and viewer.get(f"{URL}/{channel.pk}").status_code == 200
    writes = [
        viewer.post(URL, HOOK),
        viewer.put(f"{URL}/{channel.pk}", {"name": "x"}),
        viewer.delete(f"{URL}/{channel.pk}"),
        viewer.post(f"{URL}/{channel.pk}/test"),
    ]
    assert [answer.status_code for answer in writes] == [403] * 4
    assert api(role=None).get(URL).status_code == 401
