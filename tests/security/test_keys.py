"""API keys: making, showing once, using, rotating, revoking (contract: fleet console §1.2, §33.1, §37)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from security.audit.models import AuditEntry
from security.keys.models import ApiKey
from security.keys.services import create_key
from tests.factories import make_key, make_user
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db


def using(raw, header="Authorization"):
    return ApiClient(headers={header: f"Bearer {raw}" if header == "Authorization" else raw})


def test_a_key_is_shown_once(api):
    client = api(role="VIEWER")
    made = client.post("/api/v1/me/api-keys", {"name": "script", "expires_in_days": 7})
    assert made.status_code == 201
    body = made.json()
    assert len(body["key"]) == 51 and body["key"].startswith("sk-") and body["key_prefix"] == body["key"][:10]
    assert using(body["key"]).get("/api/v1/me").status_code == 200
    listed = client.get("/api/v1/me/api-keys").json()
    assert (listed["total"], listed["data"][0]["name"]) == (2, "script")
    assert body["key"] not in client.get("/api/v1/me/api-keys").text
    assert not ApiKey.objects.filter(digest=body["key"]).exists()
    assert body["key"] not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
def test_both_headers(db, header):
    _, raw = make_key()
    assert using(raw, header).get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"name": ""}, 422),
        ({"name": "x" * 101}, 422),
        ({"name": "x", "expires_in_days": 0}, 422),
        ({"name": "x", "expires_in_days": 10**9}, 422),
        ({"name": "x", "role": "KING"}, 422),
        ({"name": "x", "role": "ADMIN"}, 403),
        ({"name": "x\x00"}, 422),
        ([], 422),
    ],
)
def test_bad_requests_make_no_key(api, body, status):
    client = api(role="VIEWER")
    assert client.post("/api/v1/me/api-keys", body).status_code == status
    assert ApiKey.objects.count() == 1


def test_a_weak_key_cannot_make_a_stronger_one(db):
    _, weak = create_key(user=make_user(role="ADMIN"), name="weak", role="VIEWER")
    client = using(weak)
    assert client.post("/api/v1/me/api-keys", {"name": "x", "role": "ADMIN"}).status_code == 403
    raw = client.post("/api/v1/me/api-keys", {"name": "x"}).json()["key"]
    assert using(raw).get("/api/v1/me").json()["role"] == "VIEWER"


def test_messages(api):
    assert ApiClient().get("/api/v1/me").json()["message"].startswith("Authentication required.")
    assert using("sk-" + "0" * 48).get("/api/v1/me").json()["message"] == "Invalid API key"
    _, raw = make_key(expires_at=timezone.now() - timedelta(seconds=1))
    assert using(raw).get("/api/v1/me").json()["message"] == "API key has expired"


def test_keys_of_inactive_users_are_refused(db):
    user = make_user()
    _, raw = make_key(user=user)
    user.is_active = False
    user.save()
    assert using(raw).get("/api/v1/me").status_code == 401


def test_last_use_is_written_once_a_minute(db):
    key, raw = make_key()
    using(raw).get("/api/v1/me")
    key.refresh_from_db()
    first = key.last_used_at
    assert timezone.now() - first < timedelta(seconds=10)
    using(raw).get("/api/v1/me")
    key.refresh_from_db()
    assert key.last_used_at == first


def test_rotation_overlaps(api):
    client = api()
    answer = client.post(f"/api/v1/me/api-keys/{client.key.pk}/rotate", {"overlap_hours": 2})
    assert answer.status_code == 201
    assert using(answer.json()["key"]).get("/api/v1/me").status_code == 200
    assert client.get("/api/v1/me").status_code == 200  # the old one goes on for two hours
    client.key.refresh_from_db()
    assert timedelta(minutes=119) < client.key.expires_at - timezone.now() < timedelta(minutes=121)
    assert client.post(f"/api/v1/me/api-keys/{client.key.pk}/rotate").status_code == 409


def test_rotation_without_overlap_ends_the_old_key_at_once(api):
    client = api(expires_at=timezone.now() + timedelta(days=30))
    answer = client.post(f"/api/v1/me/api-keys/{client.key.pk}/rotate", {"overlap_hours": 0})
    assert client.get("/api/v1/me").status_code == 401
    successor = ApiKey.objects.get(pk=answer.json()["id"])
    assert timedelta(days=29) < successor.expires_at - timezone.now() < timedelta(days=31)


@pytest.mark.parametrize("hours", [-1, 721, "x", 1e9])
def test_impossible_overlaps(api, hours):
    client = api()
    path = f"/api/v1/me/api-keys/{client.key.pk}/rotate"
    assert client.post(path, {"overlap_hours": hours}).status_code == 422


def test_revocation(api):
    client = api()
    other, raw = make_key(user=client.user)
    assert client.delete(f"/api/v1/me/api-keys/{other.pk}").json() == {"message": "API key revoked"}
    assert using(raw).get("/api/v1/me").json()["message"] == "Invalid API key"
    assert client.delete(f"/api/v1/me/api-keys/{other.pk}").status_code == 404


def test_keys_of_others_are_missing(api):
    client = api(role="ADMIN")
    other, _ = make_key()
    assert client.delete(f"/api/v1/me/api-keys/{other.pk}").status_code == 404
    assert client.post(f"/api/v1/me/api-keys/{other.pk}/rotate").status_code == 404


def test_the_shared_agent_key(db, settings):
    settings.AGENT_KEY = "the-shared-key"
    body = using("the-shared-key").get("/api/v1/me").json()
    assert (body["name"], body["role"]) == ("system-agent", "OPERATOR")
    assert using("the-shared-kez").get("/api/v1/me").status_code == 401


def test_an_agents_key_may_only_look_beyond_its_instance(db):
    _, raw = make_key(role="ADMIN", instance_id="c1")
    assert using(raw).get("/api/v1/me").json()["role"] == "VIEWER"
    assert using(raw).get("/api/v1/admin/users").status_code == 403


def test_administration(api):
    client = api(role="ADMIN")
    made = client.post("/api/v1/admin/api-keys", {"name": "pipeline", "role": "DEVELOPER", "expiresInDays": 9})
    assert made.status_code == 201
    assert using(made.json()["key"]).get("/api/v1/me").json()["role"] == "DEVELOPER"
    listed = client.get("/api/v1/admin/api-keys").json()
    assert [key["name"] for key in listed["keys"]] == ["pipeline", client.key.name]
    path = f"/api/v1/admin/api-keys/{made.json()['id']}"
    rotated = client.post(f"{path}/rotate", {"overlapHours": 1})
    assert rotated.status_code == 201
    assert client.delete(path).status_code == 200
    assert using(made.json()["key"]).get("/api/v1/me").status_code == 401
    assert using(rotated.json()["key"]).get("/api/v1/me").status_code == 200
    assert api(role="OPERATOR").get("/api/v1/admin/api-keys").status_code == 403
