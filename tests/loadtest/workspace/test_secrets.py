"""Secrets: encrypted where they are stored, clear to who may write, masked for all others (contract: §6, §8.1)."""

import json

import pytest

from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest
from security.audit.models import AuditEntry
from security.vault.crypto import Unreadable
from tests.loadtest.workspace.conftest import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.storage]

SECRET = "hunter2-very-secret"
VARIABLES = {"key": {"value": SECRET, "enabled": True, "secret": True}, "host": {"value": "a.test"}}


@pytest.fixture
def saved(make):
    environment = make("environments", name="staging", variables=VARIABLES)
    collection = make("collections", name="Shop", variables=VARIABLES, auth={"mode": "bearer", "token": SECRET})
    request = make(
        "requests", collectionId=collection["id"], name="r", method="GET", url="http://a.test",
        auth={"mode": "basic", "username": "someone", "password": SECRET},
    )  # fmt: skip
    make("globals", variables=VARIABLES)
    return environment, collection, request


def everything(client, collection_id):
    paths = ("environments", "collections", "globals", f"requests?collectionId={collection_id}")
    return [client.get(f"{BASE}/{path}").json() for path in paths]


def test_who_may_write_reads_them(saved, operator):
    assert json.dumps(everything(operator, saved[1]["id"])).count(SECRET) == 5


@pytest.mark.parametrize("role", ["VIEWER", "DEVELOPER"])
def test_viewers_see_that_there_are_some(saved, api, role):
    environments, collections, shared, requests = everything(api(role), saved[1]["id"])
    assert SECRET not in json.dumps([environments, collections, shared, requests])
    masked = {"value": "", "enabled": True, "secret": True, "masked": True}
    assert environments[0]["variables"]["key"] == shared["variables"]["key"] == masked
    assert environments[0]["variables"]["host"]["value"] == "a.test"
    assert collections[0]["auth"] == {"mode": "bearer", "token": "", "masked": True}
    assert requests[0]["auth"] == {"mode": "basic", "username": "someone", "password": "", "masked": True}


def test_what_is_written_masked_keeps_what_is_stored(saved, api, make, operator):
    environments, collections, shared, requests = everything(api("VIEWER"), saved[1]["id"])
    make("environments", **environments[0])
    make("collections", **collections[0])
    make("requests", **requests[0])
    make("globals", **shared)
    assert json.dumps(everything(operator, saved[1]["id"])).count(SECRET) == 5
    again = make("environments", id=saved[0]["id"], variables={"key": {"value": "", "secret": True}})
    assert again["variables"]["key"]["value"] == ""


def test_nothing_stored_or_noted_holds_them(saved):
    rows = [list(model.objects.values()) for model in (Collection, Environment, Globals, SavedRequest)]
    assert SECRET not in str(rows)
    entries = list(AuditEntry.objects.filter(resource__startswith="load_").values())
    assert len(entries) == 4 and SECRET not in str(entries)


def test_a_stored_secret_opens_in_its_own_row_only(saved, make):
    other = make("environments", name="other")
    stolen = Environment.objects.get(pk=saved[0]["id"]).sealed_variables
    Environment.objects.filter(pk=other["id"]).update(sealed_variables=stolen)
    with pytest.raises(Unreadable):
        Environment.objects.get(pk=other["id"]).variables  # noqa: B018


def test_every_write_is_in_the_audit_log(saved, operator):
    operator.delete(f"{BASE}/requests/{saved[2]['id']}")
    operator.delete(f"{BASE}/environments/{saved[0]['id']}")
    operator.delete(f"{BASE}/collections/{saved[1]['id']}")
    noted = AuditEntry.objects.filter(user_id=operator.user.pk).order_by("at", "id")
    assert sorted(noted.values_list("action", "resource")) == sorted([
        ("CREATE", "load_environment"), ("CREATE", "load_collection"), ("CREATE", "load_request"),
        ("UPDATE", "load_globals"), ("DELETE", "load_request"), ("DELETE", "load_environment"),
        ("DELETE", "load_collection"),
    ])  # fmt: skip
