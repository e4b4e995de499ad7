"""/api/v1/costs/{summary,trends,breakdown,instances} (contract: fleet console §15)."""

from datetime import timedelta

import pytest

from costs.ledger.models import CostEntry
from fleet.instances.models import Instance
from tests.costs.making import DAY, GB, at, make_machine, sent, whole_day
from tests.factories import make_team

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
SPAN = "from=2026-11-10T00:00:00Z&to=2026-11-10T23:59:59Z"


@pytest.fixture
def fleet():
    """Two machines of one day: the worked example, and a smaller one of a team."""
    example = make_machine(region="ams", tags={"vm_size": "performance-2x", "env": "prod"})
    sent(example, 0, 120 * GB)
    team = make_team(name="payments")
    small = make_machine("db-1", size="performance-1x", team=team, last_sample=None)
    whole_day()
    return example, small, team


def test_summary_of_the_worked_example(api, fleet):
    example, small, _ = fleet
    body = api().get(f"/api/v1/costs/summary?{SPAN}").json()
    assert body == {
        "totalUsd": 3.46,
        "computeUsd": 3.10,
        "storageUsd": 0.35,
        "networkUsd": 0.01,
        "llmUsd": 0.0,
        "byProvider": {"fly": 3.46},
        "byInstance": [
            {"instanceId": example.pk, "instanceName": "web-1", "totalUsd": 2.33},
            {"instanceId": small.pk, "instanceName": "db-1", "totalUsd": 1.13},
        ],
        "periodStart": "2026-11-10T00:00:00.000Z",
        "periodEnd": "2026-11-10T23:59:59.000Z",
    }


def test_trends_by_day_provider_and_team(api, fleet):
    *_, team = fleet
    body = api().get(f"/api/v1/costs/trends?{SPAN}").json()
    assert body["granularity"] == "day"
    figures = {"totalUsd": 3.46, "computeUsd": 3.10, "storageUsd": 0.35, "networkUsd": 0.01, "llmUsd": 0.0}
    assert body["points"] == [{"date": "2026-11-10"} | figures]
    assert body["byProvider"] == [{"date": "2026-11-10", "provider": "fly", "totalUsd": 3.46}]
    assert body["byTeam"] == [
        {"team": "No team", "teamId": None, "totalUsd": 2.33, "percentage": 67.28},
        {"team": "payments", "teamId": team.pk, "totalUsd": 1.13, "percentage": 32.72},
    ]
    assert body["summary"]["instanceCount"] == 2 and body["summary"]["changePercent"] is None
    whole_day(1)
    after = api().get("/api/v1/costs/trends?from=2026-11-11&to=2026-11-11").json()["summary"]
    assert (after["totalUsd"], after["changePercent"]) == (3.46, 0.0)


def test_breakdown_by_instance_and_whatever_is_asked(api, fleet):
    example, _, team = fleet
    client = api()
    body = client.get(f"/api/v1/costs/breakdown?{SPAN}").json()
    assert body["totalUsd"] == 3.46
    assert body["rows"][0] == {
        "instanceId": example.pk,
        "instanceName": "web-1",
        "provider": "fly",
        "region": "ams",
        "totalUsd": 2.33,
        "computeUsd": 2.07,
        "storageUsd": 0.25,
        "networkUsd": 0.01,
        "llmUsd": 0.0,
        "percentOfTotal": 67.28,
    }

    def rows(by):
        found = client.get(f"/api/v1/costs/breakdown?{SPAN}&by={by}").json()["rows"]
        return [(row["key"], row["name"], row["instanceCount"], row["totalUsd"]) for row in found]

    assert rows("provider") == [("fly", "fly", 2, 3.46)]
    assert rows("region") == [("ams", "ams", 1, 2.33), (None, "not set", 1, 1.13)]
    assert rows("team") == [(None, "No team", 1, 2.33), (team.pk, "payments", 1, 1.13)]
    assert rows("label&label=env") == [("prod", "prod", 1, 2.33), (None, "not set", 1, 1.13)]


def test_an_instance_s_entries_tell_what_they_are_made_of(api, fleet):
    example, *_ = fleet
    whole_day(1)
    body = api().get(f"/api/v1/costs/instances/{example.pk}?from=2026-11-01&to=2026-11-30").json()
    assert [entry["periodStart"][:10] for entry in body["entries"]] == ["2026-11-12", "2026-11-11", "2026-11-10"]
    entry = body["entries"][-1]
    assert (entry["periodStart"], entry["periodEnd"]) == ("2026-11-10T00:00:00.000Z", "2026-11-11T00:00:00.000Z")
    assert (entry["totalUsd"], entry["estimatedUsd"]) == (2.33, 2.33)
    assert (entry["currency"], entry["source"]) == ("USD", "estimated")
    assert entry["basis"]["spans"] == [
        {
            "s": 86400,
            "status": "RUNNING",
            "size": "performance-2x",
            "region": "ams",
            "prices": "fly-2026-11-01",
            "compute": 62_000_000,
            "storage": 7_500_000,
            "estimate": False,
            "size_told": True,
        }
    ]
    assert body["instanceName"] == "web-1" and body["provider"] == "fly"
    assert body["totalUsd"] == round(sum(one["totalUsd"] for one in body["entries"]), 2)


def test_each_sees_the_costs_of_its_teams(api, fleet):
    example, small, team = fleet
    outsider, member = api("VIEWER"), api("VIEWER", teams={team: "VIEWER"})
    agent = api("VIEWER", instance_id=small.pk)
    totals = [one.get(f"/api/v1/costs/summary?{SPAN}").json()["totalUsd"] for one in (outsider, member, agent, api())]
    assert totals == [2.33, 3.46, 1.13, 3.46]
    assert len(outsider.get(f"/api/v1/costs/trends?{SPAN}").json()["byTeam"]) == 1
    for path in (f"instances/{small.pk}?", f"summary?instanceId={small.pk}&"):
        assert outsider.get(f"/api/v1/costs/{path}{SPAN}").status_code == 404
        assert member.get(f"/api/v1/costs/{path}{SPAN}").status_code == 200
    assert api(None).get("/api/v1/costs/summary").status_code == 401


def test_what_has_gone_can_still_be_looked_at(api, fleet):
    example, *_ = fleet
    Instance.objects.filter(pk=example.pk).delete()
    client = api()
    assert client.get(f"/api/v1/costs/summary?{SPAN}&instanceId={example.pk}").json()["totalUsd"] == 2.33
    body = client.get(f"/api/v1/costs/instances/{example.pk}?from=2026-01-01&to=2026-01-02").json()
    assert (body["instanceName"], body["entries"], body["totalUsd"]) == ("web-1", [], 0.0)


def test_without_a_range_it_is_the_last_30_days(api, fleet, time_machine):
    time_machine.move_to(at(12, day=30))
    assert api().get("/api/v1/costs/summary").json()["totalUsd"] == pytest.approx(0.02, abs=0.01)  # 11 November, a bit
    assert CostEntry.objects.filter(day=DAY + timedelta(days=1)).exists()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2026-11-10&to=2026-11-09", 400),
        ("from=2016-11-10&to=2026-11-09", 400),
        ("from=soon", 400),
        ("to=0001-01-01", 400),
        ("from=9999-12-31T23:59:59Z", 400),
        ("from=9999-12-30&to=9999-12-31T23:00:00Z", 400),
        ("from=0001-01-02&to=0001-01-05", 400),
        ("provider=moon", 400),
        ("instanceId=none", 404),
        (f"instanceId={'x' * 129}", 400),
        ("instanceId=%00", 400),
        ("from=%00", 400),
    ],
)
@pytest.mark.parametrize("report", ["summary", "trends", "breakdown"])
def test_ranges_and_filters_that_make_no_sense(api, report, query, status):
    answer = api("VIEWER").get(f"/api/v1/costs/{report}?{query}")
    assert answer.status_code == status, answer.content
    assert answer.json()["statusCode"] == status


@pytest.mark.parametrize("query", ["by=colour", "by=label", f"by=label&label={'x' * 129}"])
def test_groupings_that_there_are_not(api, query):
    assert api("VIEWER").get(f"/api/v1/costs/breakdown?{query}").status_code == 400


def test_models_cost_nothing_while_nobody_reports_their_use(api, fleet):
    example, *_ = fleet
    client = api("VIEWER")
    body = client.get(f"/api/v1/costs/llm/summary?{SPAN}").json()
    assert (body["totalCostUsd"], body["totalInputTokens"], body["byModel"]) == (0.0, 0, [])
    assert client.get("/api/v1/costs/llm/trends").json() == {"points": []}
    assert client.get("/api/v1/costs/llm/pricing").json() == {"models": []}
    assert client.get(f"/api/v1/costs/llm/instances/{example.pk}").json()["instanceId"] == example.pk
    assert client.get("/api/v1/costs/llm/instances/none").status_code == 404
    assert client.get("/api/v1/costs/llm/trends?from=soon").status_code == 400
