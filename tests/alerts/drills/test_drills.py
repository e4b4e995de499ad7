"""Drills: each kind of rule is fired on purpose, the recipient is reached, and nothing is left behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.drills import services
from alerts.drills.models import Drill, State
from alerts.evaluation.services import evaluate
from alerts.incidents.models import Alert
from alerts.rules.models import Rule
from alerts.silences.services import create_silence
from alerts.tending.services import tend
from config.api.authentication import Principal
from fleet.instances.models import Instance
from fleet.metrics.models import StoredSample
from tests.alerts.conftest import make_channel, make_instance, make_rule, send_all
from tests.factories import make_team, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def channel(local_server):
    local_server.answer("/hook", status=204)
    return make_channel(f"{local_server.url}/hook")


@pytest.fixture
def actor():
    return Principal(user=make_user(role="OPERATOR"), role="OPERATOR")


def begin(rule, channel, actor):
    return services.start(rule=rule, channels=[channel], actor=actor)


def go_on(drill, minutes=3):
    """What the ticks do, until the drill is over or the time is."""
    now = timezone.now()
    for second in range(0, minutes * 60, 5):
        moment = now + timedelta(seconds=second)
        evaluate(now=moment)
        tend(now=moment)
        send_all(moment)
        services.follow(now=moment)
        drill.refresh_from_db()
        if drill.state != State.RUNNING:
            return moment
    raise AssertionError("the drill never ended")


RULES = {
    "above": {"conditions": {"metric": "cpu_percent", "operator": "gt", "threshold": 90}},
    "below": {"conditions": {"metric": "load_avg_1", "operator": "lt", "threshold": 0.5}},
    "at the end": {"conditions": {"metric": "disk_percent", "operator": "gte", "threshold": 100}},
    "for an hour": {"conditions": {"metric": "mem_percent", "operator": "gt", "threshold": 80, "duration_sec": 3600}},
    "three of five": {"match_count": 3, "match_window": 5},
    "unusual": {
        "type": "ANOMALY", "conditions": {"metric": "cpu_percent", "deviation_percent": 1000, "window_sec": 600}
    },
    "unusual traffic": {
        "type": "ANOMALY", "conditions": {"metric": "net_bytes_recv", "deviation_percent": 50, "window_sec": 300}
    },
    "silent": {"type": "LIFECYCLE", "conditions": {"event": "heartbeat_lost", "timeout_sec": 60}},
    "unresponsive": {"type": "LIFECYCLE", "conditions": {"event": "unresponsive"}},
    "changed": {"type": "LIFECYCLE", "conditions": {"event": "status_changed", "target_statuses": ["STOPPED"]}},
    "deployment": {"type": "LIFECYCLE", "conditions": {"event": "deploy_failed"}},
    "refused": {"type": "SECURITY", "conditions": {"check": "unauthorized_access"}},
}  # fmt: skip


@pytest.mark.parametrize("fields", RULES.values(), ids=RULES)
def test_the_recipient_is_reached_and_nothing_is_left(fields, channel, actor, local_server):
    rule = make_rule(name="Watch", **fields)
    bystander = make_rule(name="Bystander", conditions={"metric": "cpu_percent", "operator": "gte", "threshold": 0})
    drill = begin(rule, channel, actor)
    ended_at = go_on(drill)
    assert (drill.state, drill.fault) == (State.PASSED, "")
    moments = [drill.started_at, drill.accepted_at, drill.fired_at, drill.sent_at, drill.delivered_at]
    assert None not in moments
    body = local_server.requests[0].json()
    assert (body["ruleName"], drill.title) == ("Drill: Watch", body["title"])
    assert not Alert.objects.filter(rule__in=[rule, bystander]).exists()
    for second in range(0, 300, 20):
        moment = ended_at + timedelta(seconds=second)
        tend(now=moment)
        send_all(moment)
        services.follow(now=moment)
    assert [request.json()["status"] for request in local_server.requests] == ["ACTIVE", "RESOLVED"]
    assert set(Rule.objects.all()) == {rule, bystander}
    assert not Instance.objects.exists() and not Alert.objects.exists() and not StoredSample.objects.exists()
    assert Drill.objects.get().tidied_at


def test_a_rule_of_one_machine_is_drilled_without_it(channel, actor):
    rule = make_rule(name="Watch", instance=make_instance())
    drill = begin(rule, channel, actor)
    go_on(drill)
    assert drill.state == State.PASSED and rule.instance.alerts.count() == 0


def test_rules_of_the_whole_fleet_never_see_the_machine(channel, actor):
    rule = make_rule(conditions={"metric": "cpu_percent", "operator": "gt", "threshold": 90})
    drill = begin(rule, channel, actor)
    over = go_on(drill)
    assert Instance.objects.filter(pk=drill.instance_id).exists()  # its last message is on its way
    evaluate(now=over)
    assert not Alert.objects.filter(rule=rule).exists()


def test_a_silence_is_told(channel, actor, local_server):
    now = timezone.now()
    create_silence(
        actor=actor, reason="planned", matchers=[{"label": "severity", "op": "=", "value": "HIGH"}],
        starts_at=now, ends_at=now + timedelta(hours=1),
    )  # fmt: skip
    drill = begin(make_rule(), channel, actor)
    go_on(drill)
    assert (drill.state, drill.fault) == (State.FAILED, "A silence hides it, so nobody was told.")
    assert not local_server.requests


def test_a_channel_that_refuses_is_told(channel, actor, local_server):
    local_server.answer("/hook", status=500)
    drill = begin(make_rule(), channel, actor)
    go_on(drill)
    assert drill.state == State.FAILED and "500" in drill.fault and drill.sent_at and not drill.delivered_at


def test_nobody_looks(channel, actor):
    drill = begin(make_rule(), channel, actor)
    services.follow(now=timezone.now() + timedelta(minutes=3))
    drill.refresh_from_db()
    assert drill.state == State.FAILED and "did not fire" in drill.fault


class TestApi:
    URL = "/api/v1/alerts/drills"

    def test_life(self, api, channel):
        rule = make_rule()
        body = {"ruleId": rule.pk, "channelIds": [channel.pk]}
        made = api("OPERATOR").post(self.URL, body)
        assert made.status_code == 202 and made.json()["state"] == "running" and made.json()["acceptedAt"]
        assert api("OPERATOR").post(self.URL, body).status_code == 409
        assert api("VIEWER").get(f"{self.URL}?ruleId={rule.pk}").json()["drills"][0]["id"] == made.json()["id"]
        assert api("VIEWER").get(f"{self.URL}/{made.json()['id']}").json()["recipients"] == [channel.name]
        assert [one["id"] for one in api("VIEWER").get("/api/v1/alerts/rules").json()["rules"]] == [rule.pk]

    def test_a_team_raises_and_no_id_is_that_long(self, api, channel):
        team = make_team()
        rule, everywhere = make_rule(team=team), make_rule()
        raised = api("VIEWER", teams={team: "OPERATOR"})
        for about, status in ((rule, 202), (everywhere, 403)):
            assert raised.post(self.URL, {"ruleId": about.pk, "channelIds": [channel.pk]}).status_code == status
        assert raised.get(f"{self.URL}/{'x' * 129}").json()["message"] == "Invalid drill ID"

    def test_refused(self, api, channel):
        rule = make_rule()
        never = make_rule(conditions={"metric": "cpu_percent", "operator": "gt", "threshold": 100})
        off = make_channel(enabled=False)
        for body, status in (
            ({"ruleId": "unknown", "channelIds": [channel.pk]}, 404),
            ({"ruleId": rule.pk, "channelIds": ["unknown"]}, 404),
            ({"ruleId": rule.pk, "channelIds": []}, 400),
            ({"ruleId": rule.pk, "channelIds": [off.pk]}, 409),
            ({"ruleId": never.pk, "channelIds": [channel.pk]}, 409),
        ):
            assert api("OPERATOR").post(self.URL, body).status_code == status, body
        assert not Drill.objects.exists() and not Instance.objects.exists()


def test_pages(browser, channel):
    client, rule = browser("OPERATOR"), make_rule()
    assert "proves that this alarm works" in client.get(f"/alerts/rules/{rule.pk}/drill/").content.decode()
    assert client.post(f"/alerts/rules/{rule.pk}/drill/", {}).status_code == 422
    answer = client.post(f"/alerts/rules/{rule.pk}/drill/", {"channels": [channel.pk]})
    assert answer.status_code == 302
    page = client.get(answer["Location"]).content.decode()
    assert "Sample accepted" in page and "waiting" in page
    go_on(Drill.objects.get())
    part = client.get(answer["Location"], headers={"HX-Request": "true"}).content.decode()
    assert "Drill again" in part and "waiting" not in part
