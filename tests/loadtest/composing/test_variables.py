"""Variables in texts (contract: load testing §7)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.composing.variables import Scopes, names_in, substitute
from loadtest.engine.dynamic import NAMES

names = st.from_regex(r"[a-zA-Z_][\w.-]{0,8}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def entry(value, **flags):
    return {"value": value, "enabled": True, "secret": False} | flags


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{host}}", "H"),
        ("{{ host }}", "H"),
        ("{{\thost\n}}", "H"),
        ("a{{host}}b{{host}}c", "aHbHc"),
        ("{{}}", "{{}}"),
        ("{{ }}", "{{ }}"),
        ("{{a{{host}}c}}", "{{aHc}}"),
        ("{{{host}}}", "{H}"),
        ("{{nobody}}", "{{nobody}}"),
        ("{{ nobody }}", "{{ nobody }}"),
        ("{host}", "{host}"),
        ("{{host}", "{{host}"),
        ("{{HOST}}", "{{HOST}}"),
        ("{{$nothing}}", "{{$nothing}}"),
        ("{{%$guid}}", "{{%$guid}}"),
        ("", ""),
    ],
)
def test_tokens(text, wanted):
    assert substitute(text, Scopes(globals={"host": entry("H")})) == wanted


def test_the_first_enabled_definition_wins():
    off = entry("off", enabled=False)
    scopes = Scopes(
        environment={"a": entry("environment"), "b": off, "c": off, "d": off, "e": off},
        collections=(
            {"a": entry("near"), "b": entry("near"), "c": off, "d": off, "e": off},
            {"b": entry("far"), "c": entry("far"), "d": off, "e": off},
        ),
        globals={"c": entry("global"), "d": entry("global"), "e": off},
    )
    assert substitute("{{a}} {{b}} {{c}} {{d}} {{e}}", scopes) == "environment near far global {{e}}"
    local = Scopes(environment=scopes.environment, local={"a": "local"})
    assert substitute("{{a}}", local) == "local"


@pytest.mark.parametrize("enabled", [None, "false", 0, 1, "", []])
def test_only_false_disables(enabled):
    assert substitute("{{a}}", Scopes(environment={"a": {"value": "x", "enabled": enabled}})) == "x"


@pytest.mark.parametrize("value", [None, 5, True, [], {}])
def test_what_is_no_text_counts_as_empty(value):
    assert substitute("<{{a}}>", Scopes(environment={"a": {"value": value}})) == "<>"
    assert substitute("<{{a}}>", Scopes(environment={"a": {}})) == "<>"


def test_inserted_text_is_not_scanned_again():
    scopes = Scopes(environment={"a": entry("{{a}}{{b}}"), "b": entry("x")})
    assert substitute("{{a}}{{b}}", scopes) == "{{a}}{{b}}x"


@given(texts)
def test_a_text_without_tokens_passes_unchanged(text):
    scopes = Scopes(environment={"a": entry("x")})
    if not re.search(r"\{\{[^{}]*\}\}", text):
        assert substitute(text, scopes) == text


@given(st.lists(st.tuples(texts.filter(lambda text: "{" not in text and "}" not in text), names, texts), max_size=6))
def test_substitution_is_that_of_each_token_alone(pieces):
    scopes = Scopes(environment={name: entry(value) for _, name, value in pieces})
    values = {name: value for _, name, value in pieces}
    text = "".join(f"{plain}{{{{{name}}}}}" for plain, name, _ in pieces)
    assert substitute(text, scopes) == "".join(plain + values[name] for plain, name, _ in pieces)
    assert set(names_in(text)) == set(values)


@given(st.dictionaries(names, texts), texts)
def test_it_always_ends_and_gives_text(values, text):
    scopes = Scopes(environment={name: entry(value) for name, value in values.items()})
    assert isinstance(substitute(text, scopes), str)


@pytest.mark.parametrize("name", NAMES)
def test_dynamic_names(name):
    assert "{{" not in substitute(f"{{{{{name}}}}}", Scopes())
    assert substitute(f"{{{{ {name} }}}}", Scopes(globals={name: entry("stored")})) == "stored"
    assert substitute(f"{{{{{name}}}}}", Scopes(globals={name: entry("off", enabled=False)})) != "off"


def test_each_occurrence_draws_its_own_value():
    one, other = substitute("{{$guid}} {{$guid}}", Scopes()).split()
    assert one != other
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one)


def test_what_dynamic_names_look_like():
    patterns = {
        "$timestamp": r"\d{10}",
        "$isoTimestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
        "$randomInt": r"\d{1,4}",
        "$randomAlphaNumeric": r"[a-z0-9]",
        "$randomBoolean": "true|false",
        "$randomEmail": r"[a-z]+\.[a-z]+\d*@example\.com",
        "$randomUrl": r"https://[a-z0-9.]+",
        "$randomIP": r"\d+\.\d+\.\d+\.\d+",
        "$randomPassword": r"\w{15}",
        "$randomFullName": r"\w+ \w+",
    }
    for name, pattern in patterns.items():
        assert re.fullmatch(pattern, substitute(f"{{{{{name}}}}}", Scopes())), name
