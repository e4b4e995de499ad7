"""Imports that are broken, huge or meant to do harm: a clear 400, nothing stored, no long work."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.api.errors import Invalid
from loadtest.exchange.reading import parse
from loadtest.workspace.models import Collection

pytestmark = pytest.mark.django_db

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "content",
    ["", "  ", "{", "[", "nonsense", "5", "null", "[]", "{}", '{"info": {}}', '{"item": []}', "a: [", "\t- x: y: z",
     "\x00", "&a [*a]", "{swagger: '1.2'}", "openapi: 4.0.0", '{"collection": []}', "curl", "curl -X",
     "---\na: !!python/object:os.system x"],
)  # fmt: skip
def test_what_is_no_document_we_know(operator, content):
    for path in ("import/parse", "import"):
        answer = operator.post(f"/api/loadtest/{path}", {"content": content})
        assert answer.status_code == 400 and answer.json()["error"], content
    assert not Collection.objects.exists()


@pytest.mark.parametrize(
    "body",
    [{}, {"content": None}, {"content": 5}, {"content": ["x"]}, {"content": "curl a", "importScripts": "no"},
     {"content": "curl a", "sourceUrl": 5}, {"content": "curl a", "importEnvironments": 1}],
)  # fmt: skip
def test_bodies_of_the_wrong_shape(operator, body):
    assert operator.post("/api/loadtest/import/parse", body).status_code == 400


def nested(depth):
    item = {"name": "leaf", "request": "http://a.test"}
    for _ in range(depth):
        item = {"name": "folder", "item": [item]}
    return json.dumps({"info": {"name": "x", "schema": ""}, "item": [item]})


def laughs():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "openapi: 3.0.0\n" + "\n".join(lines)


def self_referring():
    schema = {"type": "object", "properties": {name: {"$ref": "#/components/schemas/A"} for name in "abcdefgh"}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    return json.dumps({
        "openapi": "3.0.0", "info": {"title": "x"}, "components": {"schemas": {"A": schema}},
        "paths": {f"/{n}": {"post": {"requestBody": body}} for n in range(200)},
    })  # fmt: skip


@pytest.mark.parametrize("content", [nested(60), laughs(), "[" * 50_000, "{a: " * 5000, "- " * 20_000, "x" * (2 << 20)])
def test_bombs_are_refused_quickly(content):
    started = time.monotonic()
    with pytest.raises(Invalid):
        parse(content)
    assert time.monotonic() - started < 5


def test_references_in_circles_end():
    started = time.monotonic()
    tree = parse(self_referring())
    assert tree.as_json()["meta"]["requests"] == 200
    assert time.monotonic() - started < 5
    loop = {"openapi": "3.0.0", "paths": {"/a": {"$ref": "#/paths/~1a"}}}
    assert parse(json.dumps(loop)).as_json()["meta"]["requests"] == 0


def test_too_many_things():
    items = [{"name": "r", "request": "http://a.test"}] * 5001
    with pytest.raises(Invalid, match="more than 5000"):
        parse(json.dumps({"info": {"name": "x", "schema": ""}, "item": items}))


@settings(max_examples=60, deadline=None)
@given(JSON, st.sampled_from(["info", "item", "variable", "auth", "event"]))
def test_postman_documents_of_any_shape(value, name):
    document = {
        "info": {"name": "x"},
        "item": [{"name": "r", "request": {"url": value, "body": value, "header": value}}],
    }
    for content in (document | {name: value}, document | {"item": [{"item": [], name: value}, {"request": value}]}):
        try:
            parse(json.dumps(content)).as_json()
        except Invalid:
            continue


@settings(max_examples=60, deadline=None)
@given(JSON, st.sampled_from(["parameters", "requestBody", "tags", "security", "summary", "servers", "callbacks"]))
def test_openapi_documents_of_any_shape(value, name):
    operation = {"get": {name: value, "parameters": [{"name": "a", "in": "query", "schema": value}]}}
    document = {"openapi": "3.1.0", "info": value, "paths": {"/a/{b}": operation}, name: value, "components": value}
    for content in (document, document | {"paths": value}):
        try:
            parse(json.dumps(content)).as_json()
        except Invalid:
            continue


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("-XHdFu @='\"\\$|;&<>{}\nabc:/"), max_size=40))
def test_command_lines_of_any_shape(text):
    try:
        parse(f"curl {text}").as_json()
    except Invalid:
        return
