"""/api/v1/fleet/... (contract: fleet console §3)."""

import pytest

from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]


def test_stats_count_what_the_caller_sees(api):
    team = make_team()
    make_instance(name="a", distro="ubuntu")
    make_instance(name="b", status="ERROR", provider="fly")
    make_instance(name="c", status="DESTROYED")
    make_instance(name="d", team=team)
    body = api("VIEWER").get("/api/v1/fleet/stats").json()
    assert body.pop("updated_at").endswith("Z")
    assert sorted(body.pop("by_provider"), key=lambda row: row["provider"]) == [
        {"provider": "fly", "count": 1},
        {"provider": "ssh", "count": 1},
    ]
    assert body == {
        "total": 2,
        "by_status": {"RUNNING": 1, "ERROR": 1},
        "by_distro": {"ubuntu": 1},
        "active_sessions": 0,
    }
    assert api("ADMIN").get("/api/v1/fleet/stats").json()["total"] == 3
    assert api("VIEWER", teams={team: "VIEWER"}).get("/api/v1/fleet/stats").json()["total"] == 3


def test_pins_join_places_and_leave_out_the_unknown(api):
    frankfurt = {"geo_lat": 50.11, "geo_lon": 8.68, "geo_label": "Frankfurt", "region": "fra", "provider": "fly"}
    make_instance(name="a", **frankfurt)
    make_instance(name="b", status="ERROR", **frankfurt | {"geo_lat": 50.1101})
    make_instance(name="c", status="DESTROYED", **frankfurt)
    make_instance(name="d")
    make_instance(name="e", team=make_team(), **frankfurt | {"geo_lat": 1})
    assert api("VIEWER").get("/api/v1/fleet/geo").json() == {
        "pins": [
            {
                "region": "fra",
                "lat": 50.11,
                "lon": 8.68,
                "label": "Frankfurt",
                "count": 2,
                "statuses": {"RUNNING": 1, "ERROR": 1},
                "provider": "fly",
            }
        ]
    }
    assert len(api("ADMIN").get("/api/v1/fleet/geo").json()["pins"]) == 2


@pytest.mark.django_db(transaction=True)
def test_registration_renews_the_pins(api):
    client = api("VIEWER")
    assert client.get("/api/v1/fleet/geo").json() == {"pins": []}
    client.post("/api/v1/instances", {"name": "a", "provider": "fly", "region": "fra"})
    assert [pin["label"] for pin in client.get("/api/v1/fleet/geo").json()["pins"]] == ["Frankfurt"]


def test_deployments_are_24_empty_hours(api):
    body = api("VIEWER").get("/api/v1/fleet/deployments").json()
    assert (len(body["activity"]), body["total_24h"], body["success_rate"]) == (24, 0, 1)
    hours = [row["hour"] for row in body["activity"]]
    assert hours == sorted(hours)
    assert all(hour.endswith(":00:00.000Z") for hour in hours)
