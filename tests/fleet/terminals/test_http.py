"""Opening and closing terminals over HTTP (contract: fleet console §33.4), and what the fleet's numbers say of them."""

import uuid

import pytest
from django.utils import timezone

from fleet.terminals import recording, services
from fleet.terminals.models import TerminalSession
from security.audit.models import AuditEntry
from security.keys import services as keys
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]


@pytest.fixture
def online(monkeypatch):
    """Every agent is connected; what is sent to one is kept."""
    sent = []
    monkeypatch.setattr(services.calling, "connected", lambda instance_id: True)
    monkeypatch.setattr(services.calling, "send", lambda *frame, **more: sent.append(frame))
    return sent


def opened(client, instance, **body):
    return client.post(f"/api/v1/instances/{instance.pk}/terminal", body or None)


def test_opening_answers_the_session_and_its_socket(api, instance, online):
    client = api(role="DEVELOPER")
    answer = opened(client, instance, cols=132, rows=43)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert set(body) == {"sessionId", "websocketUrl"}
    assert uuid.UUID(body["sessionId"]).version == 4
    assert body["websocketUrl"] == f"ws://testserver/ws/terminal/{body['sessionId']}"
    session = TerminalSession.objects.get()
    assert (session.cols, session.rows, session.status, session.key_id) == (132, 43, "ACTIVE", client.key.pk)
    entry = AuditEntry.objects.get(resource="terminal_session")
    assert (entry.action, entry.ip_address, entry.user_id) == ("CONNECT", "127.0.0.1", client.user.pk)


@pytest.mark.parametrize(("role", "status"), [("VIEWER", 403), ("DEVELOPER", 201), ("OPERATOR", 201), ("ADMIN", 201)])
def test_who_may_open_one(api, instance, online, role, status):
    assert opened(api(role=role), instance).status_code == status


def test_a_team_raises_but_only_for_its_instances(api, instance, online):
    team = make_team()
    own = make_instance(name="own", team=team)
    viewer = api(role="VIEWER", teams={team: "DEVELOPER"})
    assert opened(viewer, own).status_code == 201
    assert opened(viewer, instance).status_code == 403
    assert opened(api(role="OPERATOR"), own).status_code == 404


def test_no_agents_key_opens_a_shell(api, instance, online, settings):
    settings.AGENT_KEY = "shared-agent-key"
    bound = api(role="OPERATOR", instance_id=instance.pk)
    shared = api(role=None)
    shared.defaults["HTTP_AUTHORIZATION"] = "Bearer shared-agent-key"
    for client in (bound, shared):
        answer = opened(client, instance)
        assert answer.status_code == 403, answer.content
    assert not TerminalSession.objects.exists()


@pytest.mark.parametrize("body", [{"cols": 0}, {"rows": "many"}, {"cols": 10**9}, [1]])
def test_a_size_that_no_screen_has_is_refused(api, instance, online, body):
    answer = api(role="DEVELOPER").post(f"/api/v1/instances/{instance.pk}/terminal", body)
    assert answer.status_code == 422
    assert not TerminalSession.objects.exists()


def test_an_offline_agent_and_too_many(api, instance, online, monkeypatch):
    client = api(role="DEVELOPER")
    monkeypatch.setattr(services, "MOST_OF_A_PERSON", 1)
    assert opened(client, instance).status_code == 201
    answer = opened(client, instance)
    assert (answer.status_code, "close one first" in answer.json()["message"]) == (409, True)
    monkeypatch.setattr(services.calling, "connected", lambda instance_id: False)
    answer = opened(api(role="DEVELOPER"), instance)
    assert (answer.status_code, answer.json()["error"]) == (503, "Service Unavailable")


def test_closing_is_for_its_person_and_administrators(api, instance, online):
    owner, other, admin = api(role="DEVELOPER"), api(role="OPERATOR"), api(role="ADMIN")
    sessions = [opened(owner, instance).json()["sessionId"] for _ in range(2)]
    path = f"/api/v1/instances/{instance.pk}/terminal"
    assert other.delete(f"{path}/{sessions[0]}").status_code == 404
    assert owner.delete(f"{path}/{sessions[0]}").json() == {"ok": True}
    assert owner.delete(f"{path}/{sessions[0]}").json() == {"ok": True}
    assert admin.delete(f"{path}/{sessions[1]}").json() == {"ok": True}
    assert owner.delete(f"{path}/nonsense").status_code == 404
    ended = AuditEntry.objects.filter(resource="terminal_session", action="DISCONNECT").order_by("at")
    assert [entry.metadata["reason"] for entry in ended] == ["closed by its user", "closed by an administrator"]
    assert not TerminalSession.objects.live().exists()


def test_the_fleets_numbers_count_active_sessions_that_one_may_see(api, instance, online):
    hidden = make_instance(name="hidden", team=make_team())
    admin, viewer = api(role="ADMIN"), api(role="VIEWER")
    opened(admin, instance)
    opened(admin, hidden)
    assert viewer.get("/api/v1/fleet/stats").json()["active_sessions"] == 1
    assert admin.get("/api/v1/fleet/stats").json()["active_sessions"] == 2
    TerminalSession.objects.update(status="DISCONNECTED")
    assert admin.get("/api/v1/fleet/stats").json()["active_sessions"] == 0


def test_recordings_are_for_administrators(api, instance, online):
    client = api(role="OPERATOR")
    session = TerminalSession.objects.get(pk=opened(client, instance).json()["sessionId"])
    path = f"/api/v1/terminals/{session.pk}/recording"
    assert api(role="ADMIN").get(path).status_code == 404
    now = timezone.now()
    services.attach(session=session, actor=keys.principal_of(client.key), attachment="a", now=now)
    session.refresh_from_db()
    services.output.take(session=session, data="hé\r\n".encode()[:2], now=now)
    services.output.take(session=session, data="hé\r\n".encode()[2:], now=now)
    services.end(session=session, reason="done", now=now)
    recording.pack(session, now=now)
    answer = api(role="ADMIN").get(path)
    assert answer["Content-Disposition"].endswith('.cast"')
    lines = answer.content.decode().splitlines()
    assert '"version": 2, "width": 80, "height": 24' in lines[0]
    assert [line.partition(",")[2] for line in lines[1:]] == [' "r", "80x24"]', ' "o", "h"]', ' "o", "\\u00e9\\r\\n"]']
    assert client.get(path).status_code == 403
    assert not session.output.exists()
