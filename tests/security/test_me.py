"""`/api/v1/me` (contract: fleet console §33.1)."""

import pytest

from security.keys.services import create_key
from tests.factories import PASSWORD, make_team, make_user
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db


def test_profile(api):
    team = make_team(name="web")
    client = api(role="VIEWER", teams={team: "OPERATOR"})
    body = client.get("/api/v1/me").json()
    assert body["email"] == client.user.email
    assert body["role"] == "VIEWER"
    assert body["team_memberships"] == [{"role": "OPERATOR", "team": {"id": team.pk, "name": "web"}}]
    assert body["accounts"] == []  # no password: nobody signs in as this user
    assert set(body) >= {"id", "name", "is_active", "email_verified", "image", "last_login_at", "created_at"}


def test_a_capped_key_shows_its_own_role(db):
    _, raw = create_key(user=make_user(role="ADMIN"), name="capped", role="DEVELOPER")
    client = ApiClient(headers={"X-Api-Key": raw})
    assert client.get("/api/v1/me").json()["role"] == "DEVELOPER"


def test_preferences(api):
    client = api()
    answer = client.patch("/api/v1/me", {"time_zone": "Europe/Berlin", "theme": "dark", "name": "New"})
    assert answer.status_code == 200
    assert (answer.json()["time_zone"], answer.json()["theme"], answer.json()["name"]) == (
        "Europe/Berlin",
        "dark",
        "New",
    )


@pytest.mark.parametrize(
    "body",
    [
        {"time_zone": "Mars/Base"},
        {"theme": "pink"},
        {"name": "x" * 129},
        {"time_zone": "../etc/passwd"},
        [],
        5,
    ],
)
def test_wrong_preferences(api, body):
    assert api().patch("/api/v1/me", body).status_code == 422


def test_password_change(api):
    client = api(user=make_user(password=PASSWORD, email="person@example.org"))

    def change(current, new):
        return client.post("/api/v1/me/password", {"current_password": current, "new_password": new})

    assert change("wrong", "another long phrase").status_code == 422
    assert change(PASSWORD, "short").json()["details"]["fieldErrors"].keys() == {"new_password"}
    assert change(PASSWORD, "person@example.org").status_code == 422
    assert change(PASSWORD, "another long phrase").status_code == 200
    client.user.refresh_from_db()
    assert client.user.check_password("another long phrase")


def test_an_agent_has_no_account_to_change(api):
    client = api(role="OPERATOR", instance_id="c1")
    assert client.get("/api/v1/me").status_code == 200
    assert client.patch("/api/v1/me", {"name": "x"}).status_code == 403
    assert client.post("/api/v1/me/password", {"current_password": "a", "new_password": "b"}).status_code == 403
    assert client.post("/api/v1/me/api-keys", {"name": "x"}).status_code == 403
