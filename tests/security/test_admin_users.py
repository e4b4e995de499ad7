"""`/api/v1/admin/users` (contract: fleet console §33.2)."""

import pytest

from security.accounts.models import User
from security.audit.models import AuditEntry
from tests.factories import PASSWORD, make_team, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/admin/users"
NEW = {"email": "New@Example.org", "name": "New", "password": "a long enough phrase", "role": "OPERATOR"}


def test_create(api):
    client = api()
    answer = client.post(URL, NEW)
    assert answer.status_code == 201
    assert set(answer.json()) >= {"id", "email", "name", "role", "isActive", "lastLoginAt", "createdAt", "updatedAt"}
    assert (answer.json()["email"], answer.json()["role"]) == ("new@example.org", "OPERATOR")
    assert User.objects.get(email="new@example.org").check_password(NEW["password"])
    assert NEW["password"] not in str(list(AuditEntry.objects.values()))
    again = client.post(URL, NEW | {"email": "NEW@example.ORG"})
    assert (again.status_code, again.json()["error"]) == (409, "Conflict")


@pytest.mark.parametrize("weak", ["password1", "48151623", "new@example"])
def test_eight_characters_do_in_the_api_but_no_weak_password(api, weak):
    client = api()
    answer = client.post(URL, NEW | {"password": weak})
    assert answer.status_code == 422 and answer.json()["details"]["fieldErrors"]["password"]
    assert not User.objects.filter(email="new@example.org").exists()
    assert client.post(URL, NEW | {"password": "tq9 vz4x"}).status_code == 201


def test_who_is_made_without_a_role_only_reads(api):
    client = api()
    assert client.post(URL, NEW | {"role": "VIEWER"}).json()["role"] == "VIEWER"
    without = {name: value for name, value in NEW.items() if name != "role"} | {"email": "b@example.org"}
    assert client.post(URL, without).json()["role"] == "VIEWER"


@pytest.mark.parametrize(
    "change",
    [
        {"email": "no address"}, {"email": None}, {"email": "a" * 250 + "@example.org"}, {"password": "short"},
        {"password": "x" * 129}, {"password": 5.5},
        {"role": "KING"}, {"role": None}, {"name": "x" * 129}, {"name": "\x00"}, {"email": "a\x00@example.org"},
    ],
)  # fmt: skip
def test_bad_input_makes_nobody(api, change):
    answer = api().post(URL, NEW | change)
    assert (answer.status_code, answer.json()["error"]) == (422, "Validation Error")
    assert change.keys() == answer.json()["details"]["fieldErrors"].keys()
    assert User.objects.count() == 1


def test_list_filters_and_pages(api):
    client = api()
    for number in range(3):
        make_user(role="DEVELOPER", name=f"Dev 5%_{number}", email=f"dev{number}@example.org")
    make_user(role="DEVELOPER", is_active=False)
    body = client.get(f"{URL}?role=DEVELOPER&is_active=true&limit=2").json()
    assert (body["total"], body["totalPages"], len(body["users"])) == (3, 2, 2)
    assert body["users"] == body["data"]
    assert client.get(f"{URL}?search=DEV1@").json()["total"] == 1
    assert client.get(f"{URL}?search=5%25_2").json()["total"] == 1
    assert client.get(f"{URL}?role=KING").status_code == 422
    assert client.get(f"{URL}?limit=101").status_code == 422


def test_update(api):
    client, user = api(), make_user(role="VIEWER")
    answer = client.put(f"{URL}/{user.pk}", {"role": "OPERATOR", "name": "Other"})
    assert (answer.status_code, answer.json()["role"], answer.json()["name"]) == (200, "OPERATOR", "Other")
    entry = AuditEntry.objects.get(action="PERMISSION_CHANGE")
    assert entry.metadata["before"]["role"] == "VIEWER" and entry.metadata["after"]["role"] == "OPERATOR"
    assert client.put(f"{URL}/{user.pk}", {"email": client.user.email}).status_code == 409
    assert client.put(f"{URL}/unknown", {"name": "x"}).status_code == 404


@pytest.mark.parametrize("name", ["is_active", "isActive"])
def test_deactivation_closes_every_door(api, client, name):
    user = make_user(password=PASSWORD)
    client.force_login(user)
    assert client.get("/api/v1/me").status_code == 200
    assert api().put(f"{URL}/{user.pk}", {name: False}).json()["isActive"] is False
    assert client.get("/api/v1/me").status_code == 401
    assert user.sessions.count() == 0


def test_a_new_password_signs_out(api, client):
    user = make_user(password=PASSWORD)
    client.force_login(user)
    api().put(f"{URL}/{user.pk}", {"password": "a fresh long phrase"})
    assert client.get("/api/v1/me").status_code == 401


def test_delete(api):
    client, user = api(), make_user()
    assert client.delete(f"{URL}/{user.pk}").status_code == 200
    assert client.get(f"{URL}/{user.pk}").status_code == 404
    itself = client.delete(f"{URL}/{client.user.pk}")
    assert (itself.status_code, itself.json()["error"]) == (400, "Bad Request")


@pytest.mark.parametrize("change", [{"role": "OPERATOR"}, {"is_active": False}])
def test_the_last_administrator_stays(api, change):
    client = api()
    assert client.put(f"{URL}/{client.user.pk}", change).status_code == 409
    other = make_user(role="ADMIN", is_active=False)
    assert client.put(f"{URL}/{client.user.pk}", change).status_code == 409
    client.put(f"{URL}/{other.pk}", {"is_active": True})
    assert client.put(f"{URL}/{client.user.pk}", change).status_code == 200


def test_teams_of_a_user(api):
    client, user = api(), make_user()
    make_team(name="web", members={user: "OPERATOR"})
    assert [(one["teamName"], one["role"]) for one in client.get(f"{URL}/{user.pk}/teams").json()["teams"]] == [
        ("web", "OPERATOR")
    ]


def test_a_service_user_gets_no_password(api):
    client = api()
    service = make_user(kind="service")
    assert client.put(f"{URL}/{service.pk}", {"password": "a fresh long phrase"}).status_code == 409
    assert client.put(f"{URL}/{service.pk}", {"name": "Other"}).status_code == 200
