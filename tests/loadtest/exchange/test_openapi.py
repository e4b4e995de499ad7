"""OpenAPI 3 documents (contract: load testing §16.1)."""

import json

import pytest

from loadtest.exchange.reading import parse
from tests.loadtest.exchange.conftest import skipped

DOCUMENT = """
openapi: 3.0.3
info: {title: Shop API, description: All of it, version: 1.0.0}
servers:
  - url: https://{region}.a.test/v1/
    variables: {region: {default: eu}}
  - url: https://other.test
security: [{token: []}]
tags: [{name: orders, description: About orders}]
paths:
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer, example: 7}}
      - {name: X-Trace, in: header, schema: {type: string, format: uuid}}
    get:
      tags: [orders]
      summary: One order
      parameters:
        - {name: full, in: query, required: true, schema: {type: boolean}}
        - {name: since, in: query, schema: {type: string, format: date}, description: from when}
        - {$ref: '#/components/parameters/Page'}
        - {name: session, in: cookie, schema: {type: string}}
        - {name: Accept, in: header, schema: {type: string}}
      responses: {200: {description: ok}}
    put:
      operationId: replaceOrder
      tags: [orders]
      security: []
      requestBody:
        content:
          application/xml: {schema: {$ref: '#/components/schemas/Order'}}
          application/json: {schema: {$ref: '#/components/schemas/Order'}}
      callbacks: {done: {}}
  /login:
    post:
      security: [{basic: []}]
      requestBody: {$ref: '#/components/requestBodies/Login'}
    trace: {}
  /upload/{part}:
    post:
      security: [{oauth: []}, {key: []}]
      requestBody:
        content:
          multipart/form-data:
            schema:
              properties: {title: {type: string}, file: {type: string, format: binary}}
components:
  parameters:
    Page: {name: page, in: query, schema: {type: integer, minimum: 1}}
  requestBodies:
    Login:
      content:
        application/x-www-form-urlencoded:
          schema: {properties: {user: {type: string, example: me}, again: {type: boolean}}}
  schemas:
    Order:
      allOf:
        - {$ref: '#/components/schemas/Base'}
        - type: object
          properties:
            state: {enum: [open, closed]}
            lines: {type: array, items: {$ref: '#/components/schemas/Line'}}
            parent: {$ref: '#/components/schemas/Order'}
            lost: {$ref: 'other.yaml#/X'}
    Base: {type: object, properties: {id: {type: integer, readOnly: true}, note: {type: [string, 'null']}}}
    Line: {type: object, properties: {count: {type: number, minimum: 2}, when: {type: string, format: date-time}}}
  securitySchemes:
    token: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    key: {type: apiKey, in: header, name: X-Key}
    oauth: {type: oauth2, flows: {}}
"""


@pytest.fixture(scope="module")
def tree():
    return parse(DOCUMENT).as_json()


def requests_of(tree):
    (root,) = tree["collections"]
    return {found["name"]: found for part in (root, *root["collections"]) for found in part["requests"]}


def test_the_collection(tree):
    (root,) = tree["collections"]
    assert (root["name"], root["description"]) == ("Shop API", "All of it")
    values = {name: entry["value"] for name, entry in root["variables"].items()}
    assert values == {"baseUrl": "https://eu.a.test/v1", "id": "7", "part": ""}
    assert root["auth"] == {"mode": "bearer", "token": "{{bearerToken}}"}
    assert [(found["name"], found["description"]) for found in root["collections"]] == [("orders", "About orders")]
    assert skipped(tree) == {
        "further server": 1, "cookie parameter": 1, "further type of a body": 1, "callback": 1, "method TRACE": 1,
        "auth oauth2": 1, "file in a form": 1, "reference that leads nowhere": 1,
    }  # fmt: skip


def test_parameters(tree):
    one = requests_of(tree)["One order"]
    assert (one["method"], one["url"], one["auth"]) == ("GET", "{{baseUrl}}/orders/{{id}}", {})
    assert one["params"] == [
        {"key": "full", "value": "true", "enabled": True},
        {"key": "since", "value": "2030-01-01", "enabled": False, "description": "from when"},
        {"key": "page", "value": "1", "enabled": False},
    ]
    assert [row["key"] for row in one["headers"]] == ["X-Trace"]


def test_bodies_and_auth(tree):
    found = requests_of(tree)
    put, login, upload = found["replaceOrder"], found["POST /login"], found["POST /upload/{part}"]
    body = json.loads(put["body"]["content"])
    assert body["note"] == "string" and body["state"] == "open" and "id" not in body
    assert body["lines"] == [{"count": 2, "when": "2030-01-01T00:00:00Z"}]
    assert put["auth"] == {"mode": "noauth"}
    assert login["body"] == {
        "mode": "x-www-form-urlencoded",
        "fields": [{"key": "user", "value": "me", "enabled": True}, {"key": "again", "value": "true", "enabled": True}],
    }
    assert login["auth"] == {"mode": "basic", "username": "{{username}}", "password": "{{password}}"}
    assert upload["body"]["fields"] == [{"key": "title", "value": "string", "enabled": True}]
    assert upload["auth"] == {"mode": "apikey", "key": "X-Key", "value": "{{apiKey}}", "in": "header"}


def test_json_and_yaml_say_the_same(tree):
    import yaml

    assert parse(json.dumps(yaml.safe_load(DOCUMENT), default=str)).as_json() == tree


@pytest.mark.parametrize(
    ("servers", "source", "base"),
    [
        ([], "", ""), ([{"url": "/v2"}], "https://a.test/docs/openapi.json", "https://a.test/v2"),
        ([], "https://a.test/docs/openapi.json", "https://a.test"), ([{"url": "/v2"}], "not a url", "/v2"),
    ],
)  # fmt: skip
def test_relative_servers(servers, source, base):
    document = {"openapi": "3.1.0", "info": {"title": "x"}, "servers": servers, "paths": {}}
    found = parse(json.dumps(document), source_url=source).as_json()
    assert found["collections"][0]["variables"]["baseUrl"]["value"] == base


@pytest.mark.django_db
@pytest.mark.storage
def test_an_imported_request_knows_its_server_and_auth(imported, operator):
    answer = imported(DOCUMENT)
    request = next(row for row in answer["requests"] if row["name"] == "One order")
    command = operator.get(f"/api/loadtest/requests/{request['id']}/curl").json()["command"]
    assert "'https://eu.a.test/v1/orders/7?full=true'" in command
    assert "Authorization: Bearer {{bearerToken}}" in command
