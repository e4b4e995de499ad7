"""`/api/v1/admin/teams` (contract: fleet console §33.2)."""

import pytest

from fleet.instances.models import Instance
from security.audit.models import AuditEntry
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/admin/teams"


def test_life_of_a_team(api):
    client, user = api(), make_user()
    made = client.post(URL, {"name": "web", "description": "front"})
    assert made.status_code == 201
    team = made.json()
    assert (team["createdBy"], team["memberCount"], team["instanceCount"]) == (client.user.pk, 0, 0)
    path = f"{URL}/{team['id']}"
    assert client.post(URL, {"name": "web"}).status_code == 409

    added = client.post(f"{path}/members", {"userId": user.pk})
    assert (added.status_code, added.json()["role"]) == (201, "DEVELOPER")
    assert client.post(f"{path}/members", {"userId": user.pk}).status_code == 409
    assert client.post(f"{path}/members", {"userId": "nobody"}).status_code == 404
    assert client.put(f"{path}/members/{user.pk}/role", {"role": "OPERATOR"}).json()["role"] == "OPERATOR"
    assert client.put(f"{path}/members/{user.pk}/role", {"role": "KING"}).status_code == 422

    body = client.get(path).json()
    assert body["memberCount"] == 1
    assert body["members"][0]["user"] == {
        "id": user.pk, "email": user.email, "name": user.name, "globalRole": "VIEWER",
    }  # fmt: skip
    assert client.put(path, {"description": ""}).json()["description"] is None
    assert client.delete(f"{path}/members/{user.pk}").status_code == 200
    assert client.delete(f"{path}/members/{user.pk}").status_code == 404
    assert client.delete(path).status_code == 200
    assert client.get(path).status_code == 404
    assert list(AuditEntry.objects.order_by("at", "id").values_list("action", flat=True))[-6:] == [
        "CREATE", "TEAM_ADD", "PERMISSION_CHANGE", "UPDATE", "TEAM_REMOVE", "DELETE",
    ]  # fmt: skip


def test_instances_of_a_team(api):
    client, team = api(), make_team()
    instance = Instance.objects.create(name="web-1", provider="ssh")
    path = f"{URL}/{team.pk}/instances"
    outsider = api(role="OPERATOR")
    assert outsider.get(f"/api/v1/instances/{instance.pk}").status_code == 200
    given = {"message": "Instance assigned to the team", "instanceId": instance.pk, "teamId": team.pk}
    assert client.post(f"{path}/{instance.pk}").json() == given
    assert outsider.get(f"/api/v1/instances/{instance.pk}").status_code == 404
    assert [one["name"] for one in client.get(path).json()["instances"]] == ["web-1"]
    assert client.get(URL).json()["teams"][0]["instanceCount"] == 1
    assert client.post(f"{path}/unknown").status_code == 404
    assert client.delete(f"{path}/{instance.pk}").status_code == 200
    assert client.delete(f"{path}/{instance.pk}").status_code == 404
    client.post(f"{path}/{instance.pk}")
    client.delete(f"{URL}/{team.pk}")
    instance.refresh_from_db()
    assert instance.team_id is None


def test_counts_do_not_multiply(api):
    team = make_team(members={make_user(): "VIEWER", make_user(): "VIEWER"})
    for number in range(3):
        Instance.objects.create(name=f"web-{number}", provider="ssh", team=team)
    body = api().get(URL).json()["teams"][0]
    assert (body["memberCount"], body["instanceCount"]) == (2, 3)


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 129}, {"name": "x", "description": "x" * 513}, []])
def test_bad_teams(api, body):
    assert api().post(URL, body).status_code == 422


def test_a_team_raises_and_is_listed_for_administrators_only(api):
    assert api(role="OPERATOR").get(URL).status_code == 403
