"""Swagger 2.0 documents (contract: load testing §16.1)."""

import json

import pytest
from hypothesis import given, settings

from config.api.errors import Invalid
from loadtest.exchange.reading import parse
from tests.loadtest.exchange.test_hostile import JSON

DOCUMENT = """
swagger: '2.0'
info: {title: Old shop}
host: a.test
basePath: /v1
schemes: [http, https]
consumes: [application/json]
security: [{login: []}]
securityDefinitions:
  login: {type: basic}
  key: {type: apiKey, in: query, name: k}
paths:
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, type: integer, default: 3}
    put:
      summary: Change
      parameters:
        - {name: dry, in: query, type: boolean, required: true}
        - {$ref: '#/parameters/Trace'}
        - {name: order, in: body, schema: {$ref: '#/definitions/Order'}}
  /login:
    post:
      security: [{key: []}]
      parameters:
        - {name: user, in: formData, type: string, default: me}
  /upload:
    post:
      parameters:
        - {name: title, in: formData, type: string}
        - {name: file, in: formData, type: file}
parameters:
  Trace: {name: X-Trace, in: header, type: string}
definitions:
  Order: {type: object, properties: {note: {type: string}, count: {type: integer}}}
"""


def test_a_document():
    (root,) = parse(DOCUMENT).as_json()["collections"]
    found = {request["name"]: request for request in root["requests"]}
    assert {name: entry["value"] for name, entry in root["variables"].items()} == {
        "baseUrl": "https://a.test/v1", "id": "3",
    }  # fmt: skip
    assert root["auth"]["mode"] == "basic"
    change = found["Change"]
    assert (change["method"], change["url"]) == ("PUT", "{{baseUrl}}/orders/{{id}}")
    assert change["params"] == [{"key": "dry", "value": "true", "enabled": True}]
    assert [row["key"] for row in change["headers"]] == ["X-Trace"]
    assert json.loads(change["body"]["content"]) == {"note": "string", "count": 0}
    login, upload = found["POST /login"], found["POST /upload"]
    assert login["auth"] == {"mode": "apikey", "key": "k", "value": "{{apiKey}}", "in": "query"}
    assert login["body"]["mode"] == "x-www-form-urlencoded" and login["body"]["fields"][0]["value"] == "me"
    assert upload["body"]["mode"] == "form-data" and [row["key"] for row in upload["body"]["fields"]] == ["title"]


@pytest.mark.parametrize(("host", "schemes", "base"), [("", [], "/v1"), ("b.test", ["ws"], "https://b.test/v1")])
def test_where_it_lies(host, schemes, base):
    document = {"swagger": "2.0", "host": host, "schemes": schemes, "basePath": "/v1", "paths": {}}
    assert parse(json.dumps(document)).collections[0]["variables"]["baseUrl"]["value"] == base


@settings(max_examples=40, deadline=None)
@given(JSON)
def test_documents_of_any_shape(value):
    for name in ("paths", "parameters", "securityDefinitions", "consumes", "schemes", "host", "definitions"):
        document = {
            "swagger": "2.0",
            "paths": {"/a": {"post": {"parameters": [{"name": "a", "in": "formData"}, value]}}},
        }
        try:
            parse(json.dumps(document | {name: value})).as_json()
        except Invalid:
            continue
