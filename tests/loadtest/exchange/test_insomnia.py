"""Insomnia exports (contract: load testing §16.1)."""

import json

import pytest
from hypothesis import given, settings

from config.api.errors import Invalid
from loadtest.exchange.reading import parse
from tests.loadtest.exchange.conftest import skipped
from tests.loadtest.exchange.test_hostile import JSON

EXPORT = {
    "_type": "export",
    "__export_format": 4,
    "resources": [
        {"_id": "w", "_type": "workspace", "name": "Shop", "description": "All"},
        {"_id": "f", "_type": "request_group", "parentId": "w", "name": "Orders", "environment": {"page": 2}},
        {
            "_id": "r", "_type": "request", "parentId": "f", "name": "Create", "method": "post",
            "url": "{{ _.base }}/orders", "settingFollowRedirects": "off",
            "parameters": [{"name": "dry", "value": "{{ _.page }}"}, {"name": "old", "value": "1", "disabled": True}],
            "headers": [{"name": "X-A", "value": "1"}, {"name": "", "value": ""}],
            "body": {"mimeType": "application/json", "text": "{\"a\": \"{{base}}\"}"},
            "authentication": {"type": "bearer", "token": "{{ _.token }}"},
        },
        {"_id": "r2", "_type": "request", "parentId": "w", "url": "http://a.test", "metaSortKey": -1,
         "body": {"mimeType": "multipart/form-data",
                  "params": [{"name": "a", "value": "b"}, {"name": "f", "type": "file"}]}},
        {"_id": "r3", "_type": "request", "parentId": "w", "name": "empty"},
        {"_id": "g", "_type": "grpc_request", "parentId": "w"},
        {"_id": "e", "_type": "environment", "parentId": "w", "data": {"base": "http://a.test", "more": {"a": 1}}},
        {"_id": "s", "_type": "environment", "parentId": "e", "name": "Staging", "data": {"base": "http://b.test"}},
    ],
}  # fmt: skip


def test_an_export():
    tree = parse(json.dumps(EXPORT)).as_json()
    (shop,) = tree["collections"]
    assert (shop["name"], shop["description"]) == ("Shop", "All")
    assert {name: entry["value"] for name, entry in shop["variables"].items()} == {
        "base": "http://a.test", "more": '{"a": 1}',
    }  # fmt: skip
    (orders,) = shop["collections"]
    (create,) = orders["requests"]
    assert (create["method"], create["url"], create["followRedirects"]) == ("POST", "{{base}}/orders", False)
    assert [(row["value"], row["enabled"]) for row in create["params"]] == [("{{page}}", True), ("1", False)]
    assert create["auth"] == {"mode": "bearer", "token": "{{token}}"} and len(create["headers"]) == 1
    assert create["body"] == {"mode": "json", "content": '{"a": "{{base}}"}'}
    assert orders["variables"]["page"]["value"] == "2"
    (form,) = shop["requests"]
    assert form["body"] == {"mode": "form-data", "fields": [{"key": "a", "value": "b", "enabled": True}]}
    (staging,) = tree["environments"]
    assert (staging["name"], staging["variables"]["base"]["value"]) == ("Staging", "http://b.test")
    assert skipped(tree) == {"file in a form": 1, "request without an address": 1, "grpc request": 1}


def test_folders_in_circles_end():
    loop = [
        {"_id": "w", "_type": "workspace", "parentId": "f"}, {"_id": "f", "_type": "request_group", "parentId": "w"},
        {"_id": "w", "_type": "request_group", "parentId": "f"},
    ]  # fmt: skip
    with pytest.raises(Invalid, match="nested too deeply"):
        parse(json.dumps(EXPORT | {"resources": loop}))
    with pytest.raises(Invalid, match="format 4"):
        parse(json.dumps(EXPORT | {"__export_format": 5}))


@settings(max_examples=40, deadline=None)
@given(JSON)
def test_exports_of_any_shape(value):
    for name in ("name", "url", "body", "authentication", "parameters", "data", "parentId", "_id", "metaSortKey"):
        resources = [{**one, name: value} for one in EXPORT["resources"]]
        try:
            parse(json.dumps(EXPORT | {"resources": [*EXPORT["resources"][:2], *resources, value]})).as_json()
        except Invalid:
            continue
