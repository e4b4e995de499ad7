"""Saved requests over HTTP (contract: load testing §5)."""

import re

import pytest

from loadtest.workspace.models import SavedRequest
from tests.loadtest.workspace.conftest import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


@pytest.fixture
def collection(make):
    return make("collections", name="Shop")["id"]


@pytest.fixture
def valid(collection):
    return {"collectionId": collection, "name": "List", "method": "get", "url": "{{base}}/items"}


def test_a_request_with_every_default(make, valid, collection, operator):
    made = make("requests", **valid)
    assert re.fullmatch(r"req_\d+", made["id"])
    assert made | {"id": "", "createdAt": 0, "updatedAt": 0} == {
        "id": "", "collectionId": collection, "name": "List", "description": "", "method": "GET",
        "url": "{{base}}/items", "params": {}, "headers": {}, "body": "", "bodyType": "none", "auth": {},
        "preRequestScript": "", "postRequestScript": "", "order": 0, "createdAt": 0, "updatedAt": 0,
    }  # fmt: skip
    assert operator.get(f"{BASE}/requests/{made['id']}").json() == made
    assert operator.get(f"{BASE}/requests?collectionId={collection}").json() == [made]


def test_what_is_missing_is_told_in_order(refused, valid):
    needed = ("collectionId", "name", "method", "url")
    for index, missing in enumerate(needed):
        body = {name: valid[name] for name in needed[:index]}
        assert refused("requests", body) == f"Missing required field: {missing}"


@pytest.mark.parametrize("pairs", [
    {"a": "1", "b": ""},
    [{"key": "a", "value": "1", "enabled": True}, {"key": "a", "value": "2", "enabled": False, "description": "d"}],
    [],
])  # fmt: skip
def test_pairs_come_back_in_the_shape_written(make, valid, pairs):
    made = make("requests", **valid, params=pairs, headers=pairs)
    assert made["params"] == pairs and made["headers"] == pairs
    reset = make("requests", id=made["id"], params=None, headers=None)
    assert reset["params"] == {} and reset["headers"] == {}


@pytest.mark.parametrize(("body", "given", "kind"), [
    ('{"a": 1}', "json", "json"), ("x", "text", "text"), ("q=1", "x-www-form-urlencoded", "x-www-form-urlencoded"),
    ({"type": "json", "content": {"a": [1]}}, None, "json"), ({"mode": "formdata", "fields": []}, "json", "form-data"),
    ({"mode": "graphql", "content": "{ me }"}, "none", "graphql"), ("", "none", "none"),
])  # fmt: skip
def test_bodies_come_back_in_the_shape_written(make, valid, body, given, kind):
    made = make("requests", **valid, body=body, **({"bodyType": given} if given else {}))
    assert (made["body"], made["bodyType"]) == (body, kind)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("collectionId", "nobody", "collectionId"), ("collectionId", 5, "collectionId"), ("method", "BREW", "method"),
        ("method", "TRACE", "method"), ("url", 5, "url"), ("params", "x", "params"), ("params", {"a": []}, "params.a"),
        ("headers", [1], "headers[0]"), ("headers", [{"key": "a", "value": "b"}, {"key": "a"}], "headers[1].value"),
        ("headers", [{"key": 1, "value": "b"}], "headers[0].key"),
        ("headers", [{"key": "a", "value": "b", "enabled": "yes"}], "headers[0].enabled"),
        ("body", 5, "body"), ("body", [], "body"), ("body", {"content": "x"}, "body"),
        ("body", {"type": "magic"}, "magic"), ("body", {"mode": 5}, "body"),
        ("bodyType", "magic", "magic"), ("bodyType", 5, "bodyType"),
        ("timeout", 0, "timeout"), ("timeout", 86_400_001, "timeout"), ("timeout", "5", "timeout"),
        ("followRedirects", 1, "followRedirects"), ("maxRedirects", -1, "maxRedirects"),
        ("verifySSL", "no", "verifySSL"),
        ("auth", {"mode": "apikey", "in": "body"}, "auth.in"), ("order", 1.5, "order"),
        ("body", "a\x00b", "cannot be stored"), ("headers", {"a\ud800": "x"}, "cannot be stored"),
    ],
)  # fmt: skip
def test_refused_values_name_the_field_and_write_nothing(refused, valid, make, field, value, words):
    assert words in refused("requests", valid | {field: value})
    assert not SavedRequest.objects.exists()
    made = make("requests", **valid)
    assert words in refused("requests", {"id": made["id"], "name": "changed", field: value})
    assert SavedRequest.objects.get().name == "List"


def test_a_partial_update_keeps_the_rest(make, valid):
    made = make("requests", **valid, headers={"A": "b"}, timeout=500, verifySSL=False, order=7)
    changed = make("requests", id=made["id"], name="Other")
    assert changed | {"updatedAt": 0} == made | {"name": "Other", "updatedAt": 0}
    assert changed["timeout"] == 500 and changed["verifySSL"] is False
    assert "timeout" not in make("requests", id=made["id"], timeout=None)


def test_a_request_moves_to_another_collection(make, valid, operator, collection):
    made, other = make("requests", **valid), make("collections", name="other")["id"]
    make("requests", id=made["id"], collectionId=other)
    assert operator.get(f"{BASE}/requests?collectionId={collection}").json() == []
    assert len(operator.get(f"{BASE}/requests?collectionId={other}").json()) == 1


def test_lists_need_a_collection_and_know_no_unknown_one(operator):
    answer = operator.get(f"{BASE}/requests")
    assert (answer.status_code, answer.json()) == (400, {"error": "collectionId required"})
    assert operator.get(f"{BASE}/requests?collectionId=nobody").json() == []


def test_large_fields_are_listed_as_empty(make, valid, operator, api):
    api("ADMIN").post(f"{BASE}/config", {"maxJsonFieldSize": 1024})
    made = make("requests", **valid, body={"mode": "text", "content": "x" * 2000}, headers={"A": "b"})
    (row,) = operator.get(f"{BASE}/requests?collectionId={made['collectionId']}").json()
    assert (row["body"], row["headers"]) == ({}, {"A": "b"})
    assert operator.get(f"{BASE}/requests/{made['id']}").json()["body"] == made["body"]


def test_deletion(make, valid, operator):
    made = make("requests", **valid)
    answer = operator.delete(f"{BASE}/requests/{made['id']}")
    assert answer.json() == {"message": "Request deleted successfully", "id": made["id"]}
    for answer in (operator.delete(f"{BASE}/requests/{made['id']}"), operator.get(f"{BASE}/requests/{made['id']}")):
        assert (answer.status_code, answer.json()) == (404, {"error": "Request not found"})
