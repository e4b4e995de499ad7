"""`/api/v1/alerts/rules` (contract: fleet console §10)."""

import pytest

from alerts.evaluation import sources
from alerts.incidents.models import Alert
from alerts.rules.models import Rule
from security.audit.models import AuditEntry
from tests.alerts.conftest import fire_alert, make_channel, make_instance, make_rule
from tests.factories import make_team

URL = "/api/v1/alerts/rules"
BODY = {
    "name": "Disk nearly full",
    "type": "THRESHOLD",
    "severity": "CRITICAL",
    "conditions": {"metric": "disk_percent", "operator": "gte", "threshold": 90, "duration_sec": 300},
}


def test_a_rule_is_made_read_changed_and_deleted(api):
    operator, channel = api("OPERATOR"), make_channel()
    made = operator.post(URL, BODY | {"channelIds": [channel.pk]})
    assert made.status_code == 201, made.content
    rule = made.json()
    assert rule == {
        "id": rule["id"],
        "name": "Disk nearly full",
        "description": None,
        "type": "THRESHOLD",
        "severity": "CRITICAL",
        "enabled": True,
        "instanceId": None,
        "conditions": BODY["conditions"],
        "cooldownSec": 300,
        "createdBy": operator.user.pk,
        "createdAt": rule["createdAt"],
        "updatedAt": rule["updatedAt"],
        "channels": [{"id": channel.pk, "name": channel.name, "type": "WEBHOOK"}],
        "alertCount": 0,
        "teamId": None,
        "clearThreshold": None,
        "matchCount": 1,
        "matchWindow": 1,
        "keepFiringSec": 0,
        "noData": "keep",
        "labels": {},
        "notice": None,
    }
    address = f"{URL}/{rule['id']}"
    assert operator.get(address).json() == rule
    changed = operator.put(address, {"enabled": False, "cooldownSec": 0, "channelIds": []}).json()
    assert (changed["enabled"], changed["cooldownSec"], changed["channels"]) == (False, 0, [])
    assert changed["conditions"] == BODY["conditions"]
    gone = operator.delete(address)
    assert gone.json() == {"message": "Rule deleted", "id": rule["id"], "name": "Disk nearly full"}
    assert operator.get(address).status_code == 404
    entries = AuditEntry.objects.filter(resource="alert_rule", resource_id=rule["id"])
    assert set(entries.values_list("action", flat=True)) == {"CREATE", "UPDATE", "DELETE"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"conditions": {"metric": "disk_percent", "operator": "gt", "threshold": 101}}, "conditions.threshold"),
        ({"conditions": {"metric": "load_avg_1", "operator": "gt", "threshold": 10_001}}, "conditions.threshold"),
        ({"conditions": {"metric": "cpu_percent", "operator": "gt", "threshold": -1}}, "conditions.threshold"),
        ({"conditions": {"metric": "cpu_percent", "operator": "gt", "threshold": "90"}}, "conditions.threshold"),
        ({"conditions": {"metric": "cpu_percent", "operator": "gt", "threshold": True}}, "conditions.threshold"),
        ({"conditions": {"metric": "net_bytes", "operator": "gt", "threshold": 1}}, "conditions.metric"),
        ({"conditions": {"metric": "cpu_percent", "operator": "eq", "threshold": 1}}, "conditions.operator"),
        ({"conditions": BODY["conditions"] | {"duration_sec": 3601}}, "conditions.duration_sec"),
        ({"conditions": BODY["conditions"] | {"duration_sec": 1.5}}, "conditions.duration_sec"),
        ({"conditions": {"event": "heartbeat_lost"}}, "conditions.metric"),
        ({"conditions": []}, "conditions"),
        ({"type": "LIFECYCLE"}, "conditions.event"),
        ({"type": "LIFECYCLE", "conditions": {"event": "heartbeat_lost", "timeout_sec": 29}}, "conditions.timeout_sec"),
        (
            {"type": "LIFECYCLE", "conditions": {"event": "status_changed", "target_statuses": ["GONE"]}},
            "conditions.target_statuses.0",
        ),
        (
            {"type": "LIFECYCLE", "conditions": {"event": "status_changed", "target_statuses": ["DESTROYED"]}},
            "conditions.target_statuses.0",
        ),
        ({"type": "NOISE"}, "type"),
        ({"severity": "WARNING"}, "severity"),
        ({"name": ""}, "name"),
        ({"name": "n" * 129}, "name"),
        ({"description": "d" * 513}, "description"),
        ({"cooldownSec": 86_401}, "cooldownSec"),
        ({"channelIds": ["c"] * 21}, "channelIds"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(api, change, field):
    answer = api("OPERATOR").post(URL, BODY | change)
    assert answer.status_code == 400
    body = answer.json()
    assert body["error"] == "Bad Request" and body["statusCode"] == 400
    assert field in body["details"]["fieldErrors"]
    assert not Rule.objects.exists()


SHAPES = {
    "ANOMALY": {"metric": "net_bytes_recv", "deviation_percent": 50, "window_sec": 600},
    "SECURITY": {"check": "cve_detected", "severity_threshold": "CRITICAL"},
    "COST": {"budget_usd": 10, "period": "daily", "threshold_percent": 80},
    "LIFECYCLE": {"event": "deploy_failed"},
    "THRESHOLD": BODY["conditions"],
}


@pytest.mark.parametrize("type", SHAPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_conditions_fit_their_type_and_no_other(api, type, shape):
    answer = api("OPERATOR").post(URL, BODY | {"type": type, "conditions": SHAPES[shape]})
    if type == shape:
        assert answer.status_code == 201 and answer.json()["conditions"] == SHAPES[shape]
    else:
        assert answer.status_code == 400 and not Rule.objects.exists()


@pytest.mark.parametrize(
    ("type", "change", "field"),
    [
        ("ANOMALY", {"metric": "disk_percent"}, "metric"),
        ("ANOMALY", {"deviation_percent": 0.5}, "deviation_percent"),
        ("ANOMALY", {"deviation_percent": 1001}, "deviation_percent"),
        ("ANOMALY", {"window_sec": 59}, "window_sec"),
        ("ANOMALY", {"window_sec": 86_401}, "window_sec"),
        ("SECURITY", {"check": "rootkit"}, "check"),
        ("SECURITY", {"severity_threshold": "LOW"}, "severity_threshold"),
        ("COST", {"budget_usd": 0}, "budget_usd"),
        ("COST", {"budget_usd": True}, "budget_usd"),
        ("COST", {"period": "hourly"}, "period"),
        ("COST", {"threshold_percent": 101}, "threshold_percent"),
        ("COST", {"threshold_percent": 0}, "threshold_percent"),
    ],
)
def test_limits_of_the_other_types(api, type, change, field):
    answer = api("OPERATOR").post(URL, BODY | {"type": type, "conditions": SHAPES[type] | change})
    assert answer.status_code == 400
    assert f"conditions.{field}" in answer.json()["details"]["fieldErrors"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"clearThreshold": 91}, "clearThreshold"),
        ({"conditions": BODY["conditions"] | {"operator": "lt"}, "clearThreshold": 89}, "clearThreshold"),
        ({"conditions": BODY["conditions"] | {"operator": "lt"}, "clearThreshold": 101}, "clearThreshold"),
        ({"type": "ANOMALY", "conditions": SHAPES["ANOMALY"], "clearThreshold": 51}, "clearThreshold"),
        ({"type": "COST", "conditions": SHAPES["COST"], "clearThreshold": 1}, "clearThreshold"),
        ({"matchCount": 3, "matchWindow": 2}, "matchCount"),
        ({"matchWindow": 61}, "matchWindow"),
        ({"keepFiringSec": -1}, "keepFiringSec"),
        ({"noData": "panic"}, "noData"),
        ({"labels": {"a b": "x"}}, "labels"),
        ({"labels": {"team": 1}}, "labels"),
        ({"labels": {f"l{n}": "" for n in range(21)}}, "labels"),
    ],
)
def test_additions_that_contradict_are_refused(api, change, field):
    answer = api("OPERATOR").post(URL, BODY | change)
    assert answer.status_code == 400 and field in answer.json()["details"]["fieldErrors"]
    assert not Rule.objects.exists()


def test_additions_are_kept_and_a_plain_put_leaves_them(api):
    operator, team = api("ADMIN"), make_team()
    added = {
        "teamId": team.pk, "clearThreshold": 80, "matchCount": 2, "matchWindow": 5, "keepFiringSec": 60,
        "noData": "alert", "labels": {"service": "web"},
    }  # fmt: skip
    rule = operator.post(URL, BODY | added).json()
    assert {name: rule[name] for name in added} == added
    changed = operator.put(f"{URL}/{rule['id']}", {"name": "Disk"}).json()
    assert {name: changed[name] for name in added} == added
    of_one = operator.put(f"{URL}/{rule['id']}", {"instanceId": make_instance().pk}).json()
    assert of_one["instanceId"] and of_one["teamId"] is None
    both = operator.post(URL, BODY | {"teamId": team.pk, "instanceId": of_one["instanceId"]})
    assert both.status_code == 400


def test_a_rule_of_a_team_belongs_to_its_operators(api):
    team, other = make_team(), make_team()
    insider, outsider = api("VIEWER", teams={team: "OPERATOR"}), api("OPERATOR", teams={other: "OPERATOR"})
    made = api("ADMIN").post(URL, BODY | {"teamId": team.pk}).json()
    address = f"{URL}/{made['id']}"
    assert insider.get(address).json()["teamId"] == team.pk
    assert insider.put(address, {"name": "Ours"}).status_code == 200
    assert insider.put(address, {"teamId": None}).status_code == 403
    assert outsider.get(address).status_code == outsider.delete(address).status_code == 404
    assert outsider.post(URL, BODY | {"teamId": team.pk}).status_code == 404


def test_a_rule_that_nobody_reports_to_says_so(api, monkeypatch):
    body, client = BODY | {"type": "COST", "conditions": SHAPES["COST"]}, api("OPERATOR")
    assert client.post(URL, body).json()["notice"] is None
    monkeypatch.setattr(sources, "_sources", {})
    notice = client.post(URL, body).json()["notice"]
    assert notice == "Nothing reports costs yet, so this rule has no data to judge by."


def test_load_averages_may_pass_a_hundred(api):
    conditions = {"metric": "load_avg_5", "operator": "gt", "threshold": 250.5}
    assert api("OPERATOR").post(URL, BODY | {"conditions": conditions}).json()["conditions"] == conditions


def test_a_lifecycle_rule_keeps_its_defaults(api):
    body = BODY | {"type": "LIFECYCLE", "conditions": {"event": "heartbeat_lost", "anything": 1}}
    assert api("OPERATOR").post(URL, body).json()["conditions"] == {"event": "heartbeat_lost", "timeout_sec": 120}
    body["conditions"] = {"event": "status_changed"}
    assert api("OPERATOR").post(URL, body).json()["conditions"]["target_statuses"] == ["ERROR", "UNKNOWN"]


def test_a_change_of_type_needs_conditions_that_fit(api):
    operator = api("OPERATOR")
    address = f"{URL}/{operator.post(URL, BODY).json()['id']}"
    assert operator.put(address, {"type": "LIFECYCLE"}).status_code == 400
    both = {"type": "LIFECYCLE", "conditions": {"event": "unresponsive"}}
    assert operator.put(address, both).json()["conditions"] == {"event": "unresponsive"}


def test_unknown_channel_and_instance_answer_404_and_change_nothing(api):
    operator = api("OPERATOR")
    assert operator.post(URL, BODY | {"channelIds": ["nothing"]}).status_code == 404
    assert operator.post(URL, BODY | {"instanceId": "nothing"}).status_code == 404
    assert not Rule.objects.exists()
    rule = make_rule()
    assert operator.put(f"{URL}/{rule.pk}", {"name": "New", "channelIds": ["nothing"]}).status_code == 404
    rule.refresh_from_db()
    assert rule.name == "Busy"


def test_lists_filter_and_count(api):
    client, instance, other = api("VIEWER"), make_instance(), make_instance()
    everywhere, here = make_rule(name="all"), make_rule(name="one", instance=instance, severity="LOW", enabled=False)
    make_rule(name="other", instance=other)
    alert = fire_alert(instance, rule=everywhere)

    def names(query: str) -> set[str]:
        return {rule["name"] for rule in client.get(f"{URL}?{query}").json()["rules"]}

    assert names("") == {"all", "one", "other"}
    assert names(f"instanceId={instance.pk}") == {"all", "one"}
    assert names("enabled=false") == {"one"}
    assert names("severity=LOW") == {here.name}
    assert names("type=LIFECYCLE") == set()
    page = client.get(f"{URL}?limit=2&page=2").json()
    assert (page["total"], page["totalPages"], len(page["rules"]), page["data"]) == (3, 2, 1, page["rules"])
    assert client.get(f"{URL}/{alert.rule_id}").json()["alertCount"] == 1
    for query in ("enabled=yes", "type=X", "severity=x", "page=0", "limit=101"):
        assert client.get(f"{URL}?{query}").status_code == 400, query


def test_switching_off_ends_what_is_open_and_on_looks_again(api):
    operator, alert = api("OPERATOR"), fire_alert()
    off = operator.post(f"{URL}/{alert.rule_id}/disable")
    assert off.json() == {"id": alert.rule_id, "enabled": False}
    alert.refresh_from_db()
    assert alert.status == "RESOLVED" and alert.resolved_by == "system:auto-resolution"
    assert operator.post(f"{URL}/{alert.rule_id}/enable").json()["enabled"] is True


def test_deleting_takes_the_alerts_along(api):
    alert = fire_alert()
    assert api("OPERATOR").delete(f"{URL}/{alert.rule_id}").status_code == 200
    assert not Alert.objects.exists()


def test_roles_and_teams(api):
    team, strangers = make_team(), make_team()
    own, foreign = make_instance(team=team), make_instance(team=strangers)
    rule, hidden, everywhere = make_rule(instance=own), make_rule(instance=foreign), make_rule()
    viewer, raised = api("VIEWER"), api("VIEWER", teams={team: "OPERATOR"})
    assert viewer.post(URL, BODY).status_code == 403
    assert viewer.get(f"{URL}/{rule.pk}").status_code == 404
    assert {row["id"] for row in raised.get(URL).json()["rules"]} == {rule.pk, everywhere.pk}
    assert raised.put(f"{URL}/{rule.pk}", {"name": "Ours"}).status_code == 200
    assert raised.put(f"{URL}/{rule.pk}", {"instanceId": None}).status_code == 403
    assert raised.put(f"{URL}/{everywhere.pk}", {"name": "Ours"}).status_code == 403
    assert raised.delete(f"{URL}/{hidden.pk}").status_code == 404
    assert raised.post(URL, BODY | {"instanceId": own.pk}).status_code == 201
    assert raised.post(f"{URL}/backtest", BODY | {"instanceId": own.pk}).status_code == 200
    assert raised.post(URL, BODY).status_code == raised.post(f"{URL}/backtest", BODY).status_code == 403
    assert api("OPERATOR").post(URL, BODY | {"instanceId": foreign.pk}).status_code == 404
    assert api("ADMIN").get(f"{URL}/{hidden.pk}").status_code == 200


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "{", "1"])
def test_bodies_that_are_no_object(api, body):
    answer = api("OPERATOR").generic("POST", URL, body, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["error"] == "Bad Request"


def test_ids_too_long_are_malformed(api):
    answer = api("VIEWER").get(f"{URL}/{'x' * 129}")
    assert answer.status_code == 400 and answer.json()["message"] == "Invalid rule ID"
