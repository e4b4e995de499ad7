"""The pages of channels, as a browser without scripts uses them."""

import pytest

from alerts.channels.models import Channel
from alerts.rules.models import Rule
from tests.alerts.conftest import browser, make_rule, text, told

pytestmark = pytest.mark.django_db


def test_a_channel_is_made_changed_tested_and_deleted(local_server):
    client = browser()
    assert "A channel tells people" in text(client.get("/alerts/channels/"))
    sent = {"name": "Operations", "url": f"{local_server.url}/in", "method": "POST", "secret": "hush",
            "headers": "X-Team: ops\nX-Token: abc", "enabled": "on"}  # fmt: skip
    client.post("/alerts/channels/new/", sent)
    channel = Channel.objects.get()
    config = {"url": f"{local_server.url}/in", "method": "POST", "secret": "hush"}
    assert channel.config == config | {"headers": {"X-Team": "ops", "X-Token": "abc"}}
    assert (channel.monitor_alerts, channel.notify_resolved) == (False, False)
    form = client.get(f"/alerts/channels/{channel.pk}/edit/").content.decode()
    assert "hush" not in form and "abc" not in form and "X-Token: ***" in form
    change = sent | {"name": "Ops", "secret": "***", "headers": "X-Token: ***", "monitor_alerts": "on"}
    client.post(f"/alerts/channels/{channel.pk}/edit/", change)
    channel.refresh_from_db()
    assert channel.config == config | {"headers": {"X-Token": "abc"}} and channel.monitor_alerts
    assert "was delivered: HTTP 200" in told(client.post(f"/alerts/channels/{channel.pk}/test/", follow=True))
    local_server.answer(status=404)
    assert "not delivered: HTTP 404" in told(client.post(f"/alerts/channels/{channel.pk}/test/", follow=True))
    rule = make_rule(name="Watcher", channels=[channel])
    assert "Watcher" in text(client.get(f"/alerts/channels/{channel.pk}/delete/"))
    client.post(f"/alerts/channels/{channel.pk}/delete/")
    assert not Channel.objects.exists() and Rule.objects.get() == rule


def test_channels_with_faults_and_mail_without_a_server(settings):
    client = browser()
    settings.EMAIL_URL = None
    assert "No mail server is configured" in text(client.get("/alerts/channels/new/?kind=email"))
    answer = client.post("/alerts/channels/new/?kind=email", {"name": "Mail", "recipients": "ops@example.org, nobody"})
    assert answer.status_code == 422 and "Not an e-mail address" in text(answer)
    answer = client.post("/alerts/channels/new/", {"name": "Hook", "url": "http://169.254.169.254/", "method": "POST"})
    assert answer.status_code == 422 and "not allowed as a target" in text(answer)
    answer = client.post(
        "/alerts/channels/new/", {"name": "H", "url": "http://x.example/", "method": "POST", "headers": "a"}
    )
    assert "Each line is a name" in text(answer)
    client.post("/alerts/channels/new/?kind=email", {"name": "Mail", "recipients": "a@example.org, b@example.org"})
    assert Channel.objects.get().config == {"recipients": ["a@example.org", "b@example.org"]}
    assert "a@example.org and 1 more" in text(client.get("/alerts/channels/"))
