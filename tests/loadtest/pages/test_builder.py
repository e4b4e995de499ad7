"""What the builder's form shows of a request, and what it makes of it again: nothing gets lost on the way."""

from typing import Any

import pytest
from django.http import QueryDict

from loadtest.workspace import builder


def typed(shown: dict[str, Any]) -> QueryDict:
    """The form as a browser sends it when nothing was changed."""
    form = QueryDict(mutable=True)
    for name in ("name", "method", "url", "body_mode", "body_text", "pre_script", "post_script"):
        form[name] = shown[name]
    for kind, rows in (("param", shown["params"]), ("header", shown["headers"]), ("field", shown["fields"])):
        form.setlist(f"{kind}-key", [row["key"] for row in rows])
        form.setlist(f"{kind}-value", [row["value"] for row in rows])
        form.setlist(f"{kind}-on", [str(number) for number, row in enumerate(rows) if row["enabled"]])
    form["auth_mode"] = "kept" if shown["auth"]["other"] else shown["auth"]["mode"]
    for way, names in builder.AUTH_FIELDS.items():
        for name in names:
            form[f"auth_{way}_{name}"] = shown["auth"][way][name]["value"]
    return form


@pytest.mark.parametrize(
    ("body", "again"),
    [
        ("plain", {"mode": "text", "content": "plain"}),
        ({"mode": "json", "content": {"a": [1]}}, {"mode": "json", "content": '{\n  "a": [\n    1\n  ]\n}'}),
        ({"type": "graphql", "content": "{ me }"}, {"mode": "graphql", "content": "{ me }"}),
        (
            {"mode": "graphql", "content": {"query": "{ me }", "variables": {"x": 1}}},
            {"mode": "graphql", "content": {"query": "{ me }", "variables": {"x": 1}}},
        ),
        ({"mode": "binary", "contentBase64": "AAE="}, {"mode": "binary", "contentBase64": "AAE="}),
        ({"mode": "binary", "content": "hi"}, {"mode": "binary", "contentBase64": "aGk="}),
        (
            {"mode": "formdata", "fields": [{"key": "a", "value": "1", "enabled": False, "type": "text"}]},
            {"mode": "form-data", "fields": [{"key": "a", "value": "1", "enabled": False, "type": "text"}]},
        ),
        (
            {"mode": "x-www-form-urlencoded", "content": "a=1&b="},
            {
                "mode": "x-www-form-urlencoded",
                "fields": [
                    {"key": "a", "value": "1", "enabled": True},
                    {"key": "b", "value": "", "enabled": True},
                ],
            },
        ),
        ({"mode": "none"}, {"mode": "none"}),
    ],
)
def test_a_body_comes_back(body: Any, again: dict[str, Any]) -> None:
    stored = {"body": body, "bodyType": "text"}
    assert builder.definition_of(typed(builder.shown(stored)), stored)["body"] == again


@pytest.mark.parametrize(
    "auth",
    [
        {"mode": "bearer", "token": "tiger-42"},
        {"mode": "bearer", "token": "{{token}}"},
        {"mode": "basic", "username": "me", "password": "tiger-42"},
        {"mode": "apikey", "key": "X-Key", "value": "tiger-42", "in": "query"},
        {"mode": "oauth2", "config": {"clientSecret": "tiger-42"}},
        {"mode": "inherit"},
        {"mode": "noauth"},
    ],
)
def test_an_auth_comes_back_without_being_shown(auth: dict[str, Any]) -> None:
    shown = builder.shown({"auth": auth})
    assert "tiger-42" not in str(shown)
    assert builder.definition_of(typed(shown), {"auth": auth})["auth"] == auth


def test_rows_keep_what_the_form_does_not_show() -> None:
    stored = {
        "headers": [{"key": "Accept", "value": "*/*", "enabled": True, "description": "why"}],
        "params": {"q": "1"},
    }
    again = builder.definition_of(typed(builder.shown(stored)), stored)
    assert again["headers"] == stored["headers"] and again["params"] == [{"key": "q", "value": "1", "enabled": True}]
