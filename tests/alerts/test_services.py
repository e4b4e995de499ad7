"""Messages to chat and paging services, and into the product, as their receivers see them."""

import pytest

from alerts.channels.models import Attempt
from alerts.inbox.models import InboxEntry
from alerts.incidents.services import resolve
from tests.alerts.conftest import (
    NOW,
    browser,
    fire_alert,
    later,
    make_channel,
    make_instance,
    make_rule,
    send_all,
    text,
)
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db


def tell(type: str, config: dict, local_server):
    """The requests of an alert that fires and ends."""
    channel = make_channel(type=type, config=config)
    instance = make_instance()
    alert = fire_alert(instance, rule=make_rule(name="Busy", channels=[channel], instance=instance))
    send_all(NOW)
    resolve(alert=alert, now=later(5))
    send_all(later(5))
    assert all(Attempt.objects.values_list("success", flat=True))
    return alert, list(local_server.requests)


@pytest.mark.parametrize("type", ["TEAMS", "DISCORD", "GOOGLE_CHAT"])
def test_chats_get_one_message_for_each_change(type, local_server):
    alert, sent = tell(type, {"webhook_url": f"{local_server.url}/hook"}, local_server)
    assert [request.path for request in sent] == ["/hook", "/hook"]
    assert alert.title in sent[0].body.decode() and f"Resolved: {alert.title}" in sent[1].body.decode()
    assert f"/alerts/{alert.pk}/" in sent[0].body.decode()


def test_telegram_and_ntfy(local_server):
    config = {"api_url": local_server.url, "bot_token": "12:abc", "chat_id": "-100"}
    alert, (first, _) = tell("TELEGRAM", config, local_server)
    assert first.path == "/bot12:abc/sendMessage" and first.json()["chat_id"] == "-100"
    assert first.json()["text"].startswith(alert.title)
    _, sent = tell("NTFY", {"api_url": local_server.url, "topic": "ops", "token": "t"}, local_server)
    body = sent[2].json()
    assert (body["topic"], body["priority"], sent[2].headers["authorization"]) == ("ops", 4, "Bearer t")


def test_pagers_open_and_close_one_incident(local_server):
    _, (opened, closed) = tell("PAGERDUTY", {"api_url": local_server.url, "routing_key": "k"}, local_server)
    assert opened.path == "/v2/enqueue"
    assert (opened.json()["event_action"], closed.json()["event_action"]) == ("trigger", "resolve")
    assert opened.json()["dedup_key"] == closed.json()["dedup_key"] and opened.json()["payload"]["severity"] == "error"
    local_server.requests.clear()
    _, (opened, closed) = tell("OPSGENIE", {"api_url": local_server.url, "api_key": "k"}, local_server)
    assert (opened.json()["priority"], opened.headers["authorization"]) == ("P2", "GenieKey k")
    assert closed.path == f"/v2/alerts/{opened.json()['alias']}/close?identifierType=alias"


def test_a_pager_is_not_told_that_it_is_over_while_others_burn(local_server):
    channel = make_channel(type="PAGERDUTY", config={"api_url": local_server.url, "routing_key": "k"})
    rule = make_rule(channels=[channel])
    alerts = [fire_alert(make_instance(), rule=rule) for _ in range(2)]
    for alert in alerts:
        resolve(alert=alert, now=NOW)
        send_all(NOW)
    assert [request.json()["event_action"] for request in local_server.requests] == ["trigger", "trigger", "resolve"]


def test_people_find_it_in_the_product_once_if_they_may_see_it():
    member, stranger, admin = make_user(), make_user(), make_user(role="ADMIN")
    team = make_team(members={member: "VIEWER"})
    channel = make_channel(type="IN_APP", config={})
    alert = fire_alert(make_instance(team=team), rule=make_rule(channels=[channel]))
    assert send_all(NOW) == [True]
    alert.outbox.update(state="PENDING")  # as if the worker had died before it noted the delivery
    assert send_all(later(600)) == [True]
    assert set(InboxEntry.objects.values_list("user", flat=True)) == {member.pk, admin.pk}
    assert not InboxEntry.objects.filter(user=stranger).exists()
    client = browser(user=member)
    assert alert.title in text(client.get("/alerts/inbox/"))
    assert "1 unread message" in client.get("/header-state/").content.decode()
    client.post("/alerts/inbox/read/")
    assert "unread" not in client.get("/header-state/").content.decode()


def test_only_the_chosen_people():
    chosen, _ = make_user(), make_user()
    channel = make_channel(type="IN_APP", config={"user_ids": [chosen.pk]})
    fire_alert(rule=make_rule(channels=[channel]))
    assert send_all(NOW) == [True] and InboxEntry.objects.get().user == chosen
