"""Postman collections, environments and globals (contract: load testing §16.1)."""

import pytest

from loadtest.workspace.models import Collection, Environment, SavedRequest
from tests.loadtest.exchange.conftest import skipped

pytestmark = [pytest.mark.django_db, pytest.mark.storage]

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
COLLECTION = {
    "info": {"name": "Shop", "schema": SCHEMA, "description": {"content": "All of it"}},
    "variable": [{"key": "base", "value": "http://a.test"}, {"key": "pin", "value": "1234", "type": "secret"}],
    "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{t}}", "type": "string"}]},
    "event": [{"listen": "prerequest", "script": {"exec": ["pm.globals.set('a', 1);", "// two"]}}],
    "item": [
        {
            "name": "Orders",
            "item": [
                {
                    "name": "Create",
                    "event": [{"listen": "test", "script": {"exec": "pm.test('ok', () => {});"}}],
                    "protocolProfileBehavior": {"followRedirects": False, "strictSSL": False, "maxRedirects": 3},
                    "request": {
                        "method": "POST",
                        "description": "makes one",
                        "header": [{"key": "X-A", "value": "1"}, {"key": "X-B", "value": "2", "disabled": True}],
                        "url": {
                            "raw": "{{base}}/shops/:shop/orders/:id?dry=1&old=2",
                            "query": [{"key": "dry", "value": "1"}, {"key": "old", "value": "2", "disabled": True}],
                            "variable": [{"key": "shop", "value": "7"}, {"key": "id"}],
                        },
                        "body": {"mode": "raw", "raw": '{"a": "{{pin}}"}', "options": {"raw": {"language": "json"}}},
                        "auth": {
                            "type": "basic",
                            "basic": [{"key": "username", "value": "u"}, {"key": "password", "value": "p"}],
                        },
                    },
                    "response": [{"name": "example"}, {"name": "other"}],
                }
            ],
        },
        {"name": "Home", "request": "http://a.test/?q=1"},
        {"name": "Purge", "request": {"method": "PURGE", "url": "http://a.test"}},
        {
            "name": "Upload",
            "request": {
                "method": "PUT",
                "url": {"protocol": "https", "host": ["a", "test"], "port": "8443", "path": ["up", "load"]},
                "body": {
                    "mode": "formdata",
                    "formdata": [{"key": "a", "value": "b"}, {"key": "f", "type": "file", "src": "/etc/passwd"}],
                },
                "auth": {"type": "noauth"},
            },
        },
    ],
}


def test_a_collection_keeps_its_shape(parsed):
    tree = parsed(COLLECTION)
    (shop,) = tree["collections"]
    assert (shop["name"], shop["description"]) == ("Shop", "All of it")
    assert shop["auth"] == {"mode": "bearer", "token": "{{t}}"}
    assert shop["variables"]["pin"] == {"value": "1234", "enabled": True, "secret": True}
    assert shop["preRequestScript"] == "pm.globals.set('a', 1);\n// two"
    (orders,) = shop["collections"]
    (create,) = orders["requests"]
    assert create | {"id": ""} == {
        "id": "",
        "name": "Create",
        "description": "makes one",
        "method": "POST",
        "url": "{{base}}/shops/7/orders/{{id}}",
        "params": [
            {"key": "dry", "value": "1", "enabled": True},
            {"key": "old", "value": "2", "enabled": False},
        ],
        "headers": [{"key": "X-A", "value": "1", "enabled": True}, {"key": "X-B", "value": "2", "enabled": False}],
        "auth": {"mode": "basic", "username": "u", "password": "p"},
        "body": {"mode": "json", "content": '{"a": "{{pin}}"}'},
        "postRequestScript": "pm.test('ok', () => {});",
        "followRedirects": False,
        "verifySSL": False,
        "maxRedirects": 3,
    }
    home, upload = shop["requests"]
    assert (home["method"], home["url"]) == ("GET", "http://a.test/?q=1")
    assert upload["url"] == "https://a.test:8443/up/load"
    assert upload["body"]["fields"] == [{"key": "a", "value": "b", "enabled": True}]
    assert skipped(tree) == {"example": 2, "method PURGE": 1, "file in a form": 1}
    assert (tree["meta"]["format"], tree["meta"]["requests"]) == ("postman-collection", 3)
    assert not Collection.objects.exists()


def test_an_import_is_stored_as_a_whole(imported, operator):
    answer = imported(COLLECTION)
    rows = {row["id"]: row for row in operator.get("/api/loadtest/collections").json()}
    shop, orders = rows
    assert [rows[shop]["name"], rows[orders]["name"], rows[orders]["parentId"]] == ["Shop", "Orders", shop]
    assert {row["id"] for row in answer["collections"]} == set(rows)
    assert set(answer["idMap"].values()) == set(rows) | {row["id"] for row in answer["requests"]}
    stored = operator.get(f"/api/loadtest/requests?collectionId={shop}").json()
    assert [(row["name"], row["order"]) for row in stored] == [("Home", 0), ("Upload", 1)]
    assert stored[1]["auth"] == {"mode": "noauth"} and stored[1]["bodyType"] == "form-data"
    assert rows[shop]["variables"]["base"]["value"] == "http://a.test"


def test_an_import_goes_below_a_collection(imported, make, refused, operator):
    top = make("collections", name="top")
    make("collections", name="first", parentId=top["id"])
    answer = imported(COLLECTION, collectionId=top["id"])
    assert (answer["collections"][0]["parentId"], answer["collections"][0]["order"]) == (top["id"], 1)
    before = Collection.objects.count()
    assert (
        "collectionId"
        in operator.post("/api/loadtest/import", {"content": "curl a.test", "collectionId": "x"}).json()["error"]
    )
    assert Collection.objects.count() == before


def test_scripts_can_be_left_out(parsed):
    tree = parsed(COLLECTION, importScripts=False)
    assert "preRequestScript" not in tree["collections"][0] and skipped(tree)["script"] == 2


def test_version_2_0_writes_attributes_as_objects(parsed):
    document = {
        "info": {"name": "Old", "schema": SCHEMA.replace("2.1", "2.0")},
        "auth": {"type": "apikey", "apikey": {"key": "X-Key", "value": "v", "in": "query"}},
        "item": [{"request": {"url": "http://a.test", "header": "A: 1\nB: 2", "method": "get",
                              "auth": {"type": "oauth2", "oauth2": {"accessToken": "x"}}}}],
    }  # fmt: skip
    tree = parsed(document)["collections"][0]
    assert tree["auth"] == {"mode": "apikey", "key": "X-Key", "value": "v", "in": "query"}
    (request,) = tree["requests"]
    assert [row["key"] for row in request["headers"]] == ["A", "B"]
    assert (
        request["auth"] == {"mode": "oauth2", "config": {"accessToken": "x"}} and request["name"] == "GET http://a.test"
    )


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"mode": "raw", "raw": "<a/>", "options": {"raw": {"language": "xml"}}}, {"mode": "xml", "content": "<a/>"}),
        ({"mode": "raw", "raw": "plain"}, {"mode": "text", "content": "plain"}),
        ({"mode": "urlencoded", "urlencoded": [{"key": "a", "value": None}]},
         {"mode": "x-www-form-urlencoded", "fields": [{"key": "a", "value": "", "enabled": True}]}),
        ({"mode": "graphql", "graphql": {"query": "{ me }", "variables": '{"a": 1}'}},
         {"mode": "graphql", "content": {"query": "{ me }", "variables": {"a": 1}}}),
        ({"mode": "file", "file": {"src": "/etc/passwd"}}, None), ({"mode": "none"}, None), (None, None), ([], None),
    ],
)  # fmt: skip
def test_bodies(parsed, body, wanted):
    item = {"name": "r", "request": {"method": "POST", "url": "http://a.test", "body": body}}
    tree = parsed({"info": {"name": "x", "schema": SCHEMA}, "item": [item]})
    assert tree["collections"][0]["requests"][0].get("body") == wanted


def test_environments_and_globals(imported, operator, make):
    values = [
        {"key": "host", "value": "a.test", "enabled": True, "type": "default"},
        {"key": "token", "value": "s3cret", "enabled": False, "type": "secret"},
    ]
    answer = imported({"name": "Staging", "values": values, "_postman_variable_scope": "environment"})
    (stored,) = operator.get("/api/loadtest/environments").json()
    assert answer["environments"] == [stored] and stored["name"] == "Staging"
    assert stored["variables"]["token"] == {"value": "s3cret", "enabled": False, "secret": True}
    assert "s3cret" not in Environment.objects.get().sealed_variables
    make("globals", variables={"kept": "1", "host": "old"})
    answer = imported({"name": "Globals", "values": values, "_postman_variable_scope": "globals"})
    assert set(answer["globals"]["variables"]) == {"kept", "host", "token"}
    assert operator.get("/api/loadtest/globals").json()["variables"]["host"]["value"] == "a.test"
    left_out = imported({"name": "Staging", "values": values}, importEnvironments=False)
    assert left_out["environments"] == [] and skipped(left_out) == {"environment": 1}


def test_an_import_that_breaks_a_rule_leaves_nothing(operator):
    bad = {"info": {"name": "x", "schema": SCHEMA}, "item": [{"name": "a\x00", "request": "http://a.test"}]}
    import json

    answer = operator.post("/api/loadtest/import", {"content": json.dumps(bad)})
    assert answer.status_code == 400 and "cannot be stored" in answer.json()["error"]
    assert not Collection.objects.exists() and not SavedRequest.objects.exists()
