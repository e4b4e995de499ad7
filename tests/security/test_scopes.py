"""Scopes of API keys: what they open, on every way in, and that no key makes a wider one."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from config.api import scopes
from config.api.envelopes import ENVELOPES
from config.api.errors import Forbidden, Invalid
from security.audit.models import AuditEntry
from security.keys.models import ApiKey
from security.keys.services import create_key
from security.tickets import services as tickets
from security.tickets import sockets
from tests.factories import make_key
from tests.support.client import ApiClient


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/v1/instances", "fleet:read"),
        ("HEAD", "//api/v1/instances/", "fleet:read"),
        ("DELETE", "/api/v1/instances/x", "fleet:write"),
        ("POST", "/api/v1/ws/ticket/", "fleet:read"),
        ("POST", "/api/v1/ws/tickets", "fleet:write"),
        ("GET", "/metrics", "fleet:read"),
        ("POST", "/api/monitors", "monitors:write"),
        ("GET", "/api/runs/1", "monitors:read"),
        ("GET", "/api/monitorsx", "fleet:read"),
        ("PATCH", "/api/loadtest/runs/1", "loadtest:write"),
        ("POST", "/api/signals/scenarios", "signals:write"),
        ("POST", "//v1/inject", "replay:write"),
        ("GET", "/api/replay/sessions", "replay:read"),
        ("GET", "/api/v1/admin/users", "fleet:read"),
        ("POST", "/api/v1/admin/users", scopes.EVERYTHING),
        ("PUT", "/api/v1/admin/users/x", scopes.EVERYTHING),
        ("POST", "/api/v1/me/password", scopes.EVERYTHING),
        ("GET", "/settings/keys/", scopes.EVERYTHING),
        ("GET", "/", scopes.EVERYTHING),
        ("POST", "/admin/security/user/", scopes.EVERYTHING),
    ],
)
def test_what_a_request_needs(method, path, scope):
    assert scopes.needed(path, method) == scope


def test_every_api_has_a_scope():
    assert all(scopes.needed(f"{prefix}/x", "GET") in scopes.WORDS for prefix, _ in ENVELOPES)


@pytest.mark.parametrize(
    ("held", "open_", "closed"),
    [
        ([], [*scopes.WORDS, scopes.EVERYTHING], []),
        (["fleet:read"], ["fleet:read"], ["fleet:write", "monitors:read", scopes.EVERYTHING]),
        (["fleet:write"], ["fleet:read", "fleet:write"], ["replay:read", scopes.EVERYTHING]),
        (scopes.WORDS, scopes.WORDS, [scopes.EVERYTHING]),
    ],
)
def test_what_scopes_cover(held, open_, closed):
    assert all(scopes.covers(held, word) for word in open_)
    assert not any(scopes.covers(held, word) for word in closed)


@pytest.mark.parametrize(
    ("wanted", "bounds", "inside"),
    [
        ([], [], True), (["fleet:read"], [], True), ([], ["fleet:write"], False),
        (["fleet:read"], ["fleet:write"], True), (["fleet:write"], ["fleet:read"], False),
        (["fleet:read", "replay:read"], ["fleet:read"], False),
    ],
)  # fmt: skip
def test_what_lies_within(wanted, bounds, inside):
    assert scopes.within(wanted, bounds) is inside


def test_scopes_are_tidied():
    given = ["replay:read", "fleet:write", "fleet:read", "replay:read"]
    assert scopes.tidied(given) == ["fleet:write", "replay:read"]
    with pytest.raises(Invalid):
        scopes.tidied(["fleet:admin"])


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/v1/instances", {"error": "Forbidden", "message": "The API key lacks the scope fleet:read"}),
        ("/api/monitors", {"error": "forbidden", "message": "The API key lacks the scope monitors:read"}),
        ("/api/loadtest/runs", {"error": "The API key lacks the scope loadtest:read"}),
        ("/api/signals/scenarios", {"error": "forbidden", "detail": "The API key lacks the scope signals:read"}),
    ],
)
def test_a_refusal_names_the_missing_scope(api, path, told):
    answer = api(scopes=["replay:write"]).get(path)
    assert answer.status_code == 403 and told.items() <= answer.json().items()


def test_replay_refuses_in_its_own_words(api):
    client = api(scopes=["fleet:write"])
    told = {"error": "forbidden", "message": "The API key lacks the scope replay:read", "code": 1}
    answer = client.get("/api/replay/sessions")
    assert answer.status_code == 403 and answer.json() == told
    assert client.post("/v1/inject", {}).json()["error"]["message"] == "The API key lacks the scope replay:write"


def test_reading_is_not_writing(api):
    reader, writer = api(scopes=["fleet:read"]), api(scopes=["fleet:write"])
    assert reader.get("/api/v1/me").status_code == writer.get("/api/v1/me").status_code == 200
    assert reader.patch("/api/v1/me", {"name": "x"}).status_code == 403
    assert writer.patch("/api/v1/me", {"name": "x"}).status_code == 200
    assert writer.get("/account/").status_code == 302  # pages are for people


def test_no_key_makes_or_rotates_a_wider_one(api):
    client = api(role="ADMIN", scopes=["fleet:write"])
    wide, _ = make_key(user=client.user)
    made = client.post("/api/v1/me/api-keys", {"name": "x"})
    assert made.json()["scopes"] == ["fleet:write"]
    for path in ("/api/v1/me/api-keys", "/api/v1/admin/api-keys"):
        body = {"name": "x", "role": "VIEWER"}
        assert client.post(path, body | {"scopes": ["monitors:read"]}).status_code == 403
        assert client.post(path, body | {"scopes": ["fleet:read"]}).json()["scopes"] == ["fleet:read"]
    assert client.post("/api/v1/admin/users", {"email": "x@example.org", "password": "x" * 12}).status_code == 403
    for path in ("/api/v1/me/api-keys", "/api/v1/admin/api-keys"):
        assert client.post(f"{path}/{wide.pk}/rotate", {}).status_code == 403
    same = client.post(f"/api/v1/me/api-keys/{client.key.pk}/rotate", {})
    assert (same.status_code, same.json()["scopes"]) == (201, ["fleet:write"])


def test_a_capped_key_rotates_no_stronger_one(api):
    weak = api(role="ADMIN")
    capped, raw = create_key(user=weak.user, name="capped", role="VIEWER")
    client = ApiClient(headers={"X-Api-Key": raw})
    assert client.post(f"/api/v1/me/api-keys/{weak.key.pk}/rotate", {}).status_code == 403
    assert client.post(f"/api/v1/me/api-keys/{capped.pk}/rotate", {}).status_code == 201


@pytest.mark.parametrize("given", ["fleet:read", ["fleet"], ["fleet:read\x00"], [{}], ["fleet:read"] * 11, None])
def test_bad_scopes_make_no_key(api, given):
    client = api()
    answer = client.post("/api/v1/me/api-keys", {"name": "x", "scopes": given})
    assert answer.status_code == 422 and "scopes" in str(answer.json()["details"]["fieldErrors"])
    assert ApiKey.objects.count() == 1


def test_tickets_open_no_more_than_their_key(api):
    reader, other = api(role="OPERATOR", scopes=["fleet:read"]), api(scopes=["monitors:write"])
    assert other.post("/api/v1/ws/ticket").status_code == 403

    def opened(path, **how):
        ticket = how.get("ticket") or reader.post("/api/v1/ws/ticket").json()["ticket"]
        return sockets.principal_of({"path": path, "headers": [], "query_string": f"ticket={ticket}".encode()})

    assert opened("/ws").scopes == ("fleet:read",)
    for path in ("/ws/agent", "/ws/terminal/x"):
        with pytest.raises(Forbidden, match="fleet:write"):
            opened(path)
    with pytest.raises(Forbidden):
        tickets.redeem(reader.post("/api/v1/ws/ticket").json()["ticket"])


def test_sockets_look_at_the_key_in_the_header(api):
    client = api(scopes=["loadtest:write"])
    headers = [(b"authorization", f"Bearer {client.raw_key}".encode())]
    with pytest.raises(Forbidden, match="fleet:read"):
        sockets.principal_of({"path": "/ws", "headers": headers, "query_string": b""})


def test_a_page_makes_narrowed_keys(browser):
    client = browser("OPERATOR")
    answer = client.post("/account/keys/", {"name": "x", "days": "30", "scopes": ["fleet:read", "monitors:write"]})
    assert answer.status_code == 200 and "fleet:read" in answer.text
    assert ApiKey.objects.get().scopes == ["fleet:read", "monitors:write"]
    assert AuditEntry.objects.get(resource="api_key").metadata["after"]["scopes"] == ["fleet:read", "monitors:write"]
    assert client.post("/account/keys/", {"name": "x", "scopes": ["everything"]}).status_code == 422


@pytest.mark.django_db
def test_the_command_line_makes_them():
    out = StringIO()
    create = ("keys", "create", "--name", "x", "--role", "VIEWER")
    call_command(*create, "--scope", "fleet:read", "--scope", "signals:write", stdout=out)
    assert re.fullmatch(r"sk-[0-9a-f]{48}\n", out.getvalue())
    assert ApiKey.objects.get().scopes == ["fleet:read", "signals:write"]
    with pytest.raises(CommandError):
        call_command(*create, "--scope", "all")
