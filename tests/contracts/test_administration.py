"""Keys, users and teams as the console's frontend manages them (contract: fleet console §33, §37)."""

import pytest

from fleet.instances.models import Instance
from security.accounts.services import setup_link
from tests.factories import make_team, make_user

pytestmark = pytest.mark.contract

KEYS, TEAMS, USERS = "/api/v1/me/api-keys", "/api/v1/admin/teams", "/api/v1/admin/users"


def test_a_key_for_an_instance_needs_one_that_its_maker_operates(api):
    seen = Instance.objects.create(name="seen", provider="ssh")
    hidden = Instance.objects.create(name="hidden", provider="ssh", team=make_team())
    operator = api("OPERATOR")
    for unknown in ("nope", hidden.pk):
        answer = operator.post(KEYS, {"name": "agent", "instance_id": unknown})
        assert (answer.status_code, answer.json()["message"]) == (404, f"Instance '{unknown}' not found")
    assert operator.post(KEYS, {"name": "agent", "instance_id": seen.pk}).json()["instance_id"] == seen.pk
    assert api("DEVELOPER").post(KEYS, {"name": "agent", "instance_id": seen.pk}).status_code == 403


def test_an_instance_joins_a_team_by_its_address(api):
    client, team, instance = api(), make_team(), Instance.objects.create(name="web-1", provider="ssh")
    path = f"{TEAMS}/{team.pk}/instances/{instance.pk}"
    ids = {"instanceId": instance.pk, "teamId": team.pk}
    assert client.post(path).json() == {"message": "Instance assigned to the team", **ids}
    assert client.get(f"{TEAMS}/{team.pk}/instances").json()["instances"][0]["id"] == instance.pk
    assert client.delete(path).json() == {"message": "Instance removed from the team", **ids}
    assert client.post(f"{TEAMS}/{team.pk}/instances/nope").status_code == 404


def test_members_and_users_carry_the_ids_that_a_client_reads(api):
    client, team, user = api(), make_team(name="web"), make_user()
    ids = {"teamId": team.pk, "userId": user.pk}
    joined = client.post(f"{TEAMS}/{team.pk}/members", {"userId": user.pk})
    assert joined.status_code == 201 and (ids | {"role": "DEVELOPER"}).items() <= joined.json().items()
    moved = client.put(f"{TEAMS}/{team.pk}/members/{user.pk}/role", {"role": "OPERATOR"}).json()
    assert (ids | {"role": "OPERATOR"}).items() <= moved.items()
    teams = client.get(f"/api/v1/admin/users/{user.pk}/teams").json()["teams"]
    assert {"teamId": team.pk, "teamName": "web", "role": "OPERATOR"}.items() <= teams[0].items()
    assert ids.items() <= client.delete(f"{TEAMS}/{team.pk}/members/{user.pk}").json().items()
    assert client.delete(f"{TEAMS}/{team.pk}").json() == {"message": "Team deleted", "id": team.pk, "name": "web"}
    gone = client.delete(f"/api/v1/admin/users/{user.pk}").json()
    assert gone == {"message": "User deleted", "id": user.pk, "email": user.email}


def test_a_user_gets_the_role_that_was_asked_for_also_before_the_setup(api, client):
    administrator = api("ADMIN", user=make_user(role="ADMIN", kind="service"))
    link = setup_link()
    body = {"email": "first@example.org", "password": "a long phrase of mine"}
    made = administrator.post(USERS, body).json()
    assert made["role"] == "VIEWER"
    assert administrator.put(f"{USERS}/{made['id']}", {"role": "OPERATOR"}).json()["role"] == "OPERATOR"
    assert client.get(link).status_code == 200  # there is no administrator yet who could sign in
    assert administrator.post(USERS, {**body, "email": "second@example.org", "role": "ADMIN"}).json()["role"] == "ADMIN"
    assert client.get(link).status_code == 404
    assert administrator.delete(f"{USERS}/{made['id']}").status_code == 200


def test_filters_of_users_and_teams(api):
    client, off = api(), make_user(is_active=False)
    for name in ("Web", "Data"):
        make_team(name=name)
    assert [one["id"] for one in client.get(f"{USERS}?is_active=false&pageSize=5").json()["users"]] == [off.pk]
    assert client.get(f"{USERS}?is_active=perhaps").status_code == 422
    assert [one["name"] for one in client.get(f"{TEAMS}?search=we&pageSize=5").json()["teams"]] == ["Web"]
