"""The browser's session over HTTP (contract: fleet console §33.3)."""

import pytest
from django.test import Client

from security.accounts.models import Session
from security.accounts.tasks import clear_sessions
from security.audit.models import AuditEntry
from tests.factories import PASSWORD, make_user
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser():
    client = ApiClient(enforce_csrf_checks=True)
    client.user = make_user(role="ADMIN", password=PASSWORD)
    client.force_login(client.user)
    return client


def test_get_session(browser):
    assert Client().get("/api/auth/get-session").json() is None
    body = browser.get("/api/auth/get-session").json()
    assert body["session"]["userId"] == body["user"]["id"] == browser.user.pk
    assert set(body["session"]) == {"id", "userId", "expiresAt", "createdAt", "updatedAt"}
    assert Session.objects.get().session_key not in str(body)


def test_sign_out(browser):
    assert browser.post("/api/auth/sign-out").json() == {"success": True}
    assert browser.get("/api/auth/get-session").json() is None
    assert Session.objects.count() == 0
    assert AuditEntry.objects.filter(action="LOGOUT").count() == 1
    assert Client().post("/api/auth/sign-out", content_type="application/json").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/me/api-keys", "/api/auth/sign-out"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://testserver.evil.example"])
def test_another_site_cannot_write_with_the_cookie(browser, path, kind, origin):
    headers = {"Origin": origin} if origin else {}
    answer = browser.post(path, '{"name": "x"}', kind, headers=headers)
    assert answer.status_code == 403
    assert browser.get("/api/v1/me").status_code == 200


def test_json_and_our_own_pages_can(browser):
    assert browser.post("/api/v1/me/api-keys", {"name": "x"}).status_code == 201
    answer = browser.delete(
        f"/api/v1/me/api-keys/{browser.user.api_keys.get().pk}", content_type="text/plain",
        headers={"Origin": "http://testserver"},
    )  # fmt: skip
    assert answer.status_code == 200


def test_a_bad_key_wins_over_a_good_cookie(browser):
    assert browser.get("/api/v1/me", headers={"X-Api-Key": "wrong"}).status_code == 401


def test_own_sessions(browser):
    other = Client()
    other.force_login(browser.user)
    rows = browser.get("/api/v1/me/sessions").json()["data"]
    assert [row["current"] for row in rows] == [False, True]
    ours = {"Origin": "http://testserver"}
    assert browser.delete(f"/api/v1/me/sessions/{rows[0]['id']}", headers=ours).status_code == 200
    assert other.get("/api/v1/me").status_code == 401
    assert browser.get("/api/v1/me").status_code == 200
    stranger = ApiClient()
    stranger.force_login(make_user())
    assert stranger.delete(f"/api/v1/me/sessions/{rows[1]['id']}", headers=ours).status_code == 404


def test_all_other_sessions_end(browser):
    other = Client()
    other.force_login(browser.user)
    answer = browser.delete("/api/v1/me/sessions", headers={"Origin": "http://testserver"})
    assert (answer.status_code, answer.json()["ended"]) == (200, 1)
    assert (other.get("/api/v1/me").status_code, browser.get("/api/v1/me").status_code) == (401, 200)


def test_the_end_of_a_session_moves_with_its_use(browser, time_machine):
    before = Session.objects.get()
    time_machine.move_to(before.started_at.timestamp() + 6 * 86400, tick=False)
    assert browser.get("/api/v1/me").cookies["sessionid"]["max-age"] == 7 * 86400
    after = Session.objects.get()
    assert (after.public_id, after.started_at) == (before.public_id, before.started_at)
    time_machine.move_to(before.started_at.timestamp() + 12 * 86400, tick=False)
    assert browser.get("/api/v1/me").status_code == 200
    time_machine.move_to(before.started_at.timestamp() + 20 * 86400, tick=False)
    assert browser.get("/api/v1/me").status_code == 401


def test_sessions_that_are_over_are_dropped(browser, time_machine):
    time_machine.move_to(Session.objects.get().started_at.timestamp() + 8 * 86400)
    keeper = Client()
    keeper.force_login(make_user())
    clear_sessions()
    assert [session.user_id for session in Session.objects.all()] == [keeper.session["_auth_user_id"]]
