"""Refused authentications are counted for the instance that they concern (contract: fleet console §10)."""

import uuid

import pytest
from django.utils import timezone

from config.api.errors import Unauthorized
from fleet.terminals.models import TerminalSession
from security.keys import refusals, services
from security.keys.models import Refusal
from security.tickets.sockets import principal_of
from tests.alerts.conftest import NOW, later, make_instance
from tests.conftest import ApiClient
from tests.factories import make_key

pytestmark = pytest.mark.django_db
WRONG = {"Authorization": "Bearer sk-" + "0" * 48}


def counted() -> dict[tuple[str, str], int]:
    return {(row.instance_id, row.kind): row.count for row in Refusal.objects.all()}


def test_a_revoked_or_expired_key_of_an_instance_counts_for_it():
    instance = make_instance()
    for fields in ({"expires_at": timezone.now()}, {}):
        key, raw = make_key(role="OPERATOR", instance_id=instance.pk, **fields)
        if not fields:
            services.revoke(key=key)
        assert ApiClient(headers={"Authorization": f"Bearer {raw}"}).get("/api/v1/instances").status_code == 401
    assert counted() == {(instance.pk, "agent"): 2}


@pytest.mark.parametrize(
    ("path", "header", "kind"),
    [
        ("/api/v1/instances/{id}/heartbeats", None, "agent"),
        ("/api/v1/instances/{id}/terminal", None, "terminal"),
        ("/api/v1/instances", "{id}", "agent"),
        ("/api/v1/instances", "{name}", "agent"),
    ],
)
def test_a_wrong_key_counts_for_the_instance_that_is_named(path, header, kind):
    instance = make_instance(name="web-7")
    headers = WRONG | ({"X-Instance-ID": header.format(id=instance.pk, name="web-7")} if header else {})
    answer = ApiClient(headers=headers).post(path.format(id=instance.pk), {})
    assert answer.status_code == 401 and counted() == {(instance.pk, kind): 1}


def test_what_names_no_instance_is_counted_nowhere():
    make_instance()
    for path in ("/api/v1/instances", "/api/v1/instances/nothing/heartbeats", "/api/v1/alerts"):
        assert ApiClient(headers=WRONG).get(path).status_code == 401
    assert not counted()


@pytest.mark.parametrize("query", [b"ticket=wrong", b""])
def test_a_refused_terminal_counts_for_its_machine(query):
    times = dict.fromkeys(("created_at", "last_input_at", "seen_at"), NOW)
    session = TerminalSession.objects.create(instance=make_instance(), user_name="somebody", **times)
    headers = [] if query else [(b"authorization", WRONG["Authorization"].encode())]
    for path in (f"/ws/terminal/{session.pk}", f"/ws/terminal/{uuid.uuid4()}"):
        with pytest.raises(Unauthorized):
            principal_of({"path": path, "headers": headers, "query_string": query})
    assert counted() == {(session.instance_id, "terminal"): 1}


def test_a_flood_costs_one_row_a_minute_and_old_minutes_go(monkeypatch):
    monkeypatch.setattr(refusals, "MOST_A_MINUTE", 3)
    for _ in range(5):
        refusals.note(instance_id="one", now=NOW)
    assert counted() == {("one", "agent"): 3}
    refusals.note(instance_id="one", now=later(8 * 86_400 + 60))
    assert Refusal.objects.count() == 1
