"""Whole requests: address, headers, auth, templates (contract: load testing §7, §8)."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.composing.compose import USER_AGENT, ComposeError, compose
from loadtest.composing.variables import Scopes
from loadtest.engine.dynamic import LENGTH, draw

NONE = Scopes()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda text: "{{" not in text)


def made(scopes=NONE, inherited=None, live=False, **definition):
    return compose({"method": "GET", "url": "http://a.test/", **definition}, scopes, inherited, live=live)


def headers(**definition):
    return {name.lower(): value for name, value in made(**definition).headers}


@pytest.mark.parametrize(
    ("url", "params", "wanted"),
    [
        ("http://a.test", {}, "http://a.test/"),
        ("  http://a.test/x  ", None, "http://a.test/x"),
        ("HTTP://A.test:80/x?q=1#part", {"r": "2"}, "http://A.test:80/x?q=1&r=2"),
        ("http://a.test?x", {"a b": "c&d=é"}, "http://a.test/?x&a%20b=c%26d%3D%C3%A9"),
        ("http://a.test/a b/é?q=ü 1", {}, "http://a.test/a%20b/%C3%A9?q=%C3%BC%201"),
        ("http://a.test/%2F%zz?a=%20", {}, "http://a.test/%2F%25zz?a=%20"),
        (
            "https://[::1]:8443/",
            [{"key": "a", "value": "1"}, {"key": "a", "value": "2", "enabled": False}],
            "https://[::1]:8443/?a=1",
        ),
        ("http://a.test/{{nobody}}", {}, "http://a.test/%7B%7Bnobody%7D%7D"),
        ("http://a.test/\r\nX: y", {}, "http://a.test/X:%20y"),
        ("http://a.test/", {"n": 1, "t": True, "e": None}, "http://a.test/?n=1&t=true&e="),
    ],
)
def test_addresses(url, params, wanted):
    assert made(url=url, params=params).url == wanted


@pytest.mark.parametrize(
    "url",
    [
        "",
        "  ",
        None,
        5,
        "a.test",
        "/path",
        "ftp://a.test",
        "http://",
        "http:///x",
        "http://a:b/",
        "http://[::1",
        "{{b}}/x",
        "http://{{host}}/",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_cannot_be_called(url):
    with pytest.raises(ComposeError) as fault:
        made(url=url)
    assert fault.value.error_code == "INVALID_URL"


@given(st.lists(st.tuples(texts.filter(bool), texts), max_size=5))
def test_parameters_arrive_as_they_were_written(pairs):
    url = made(params=[{"key": key, "value": value} for key, value in pairs]).url
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == pairs
    assert url.isascii() and not re.search(r"\s", url)


def test_headers_and_their_defaults():
    assert headers() == {"user-agent": USER_AGENT}
    given_headers = {"X-A": "1", "user-AGENT": "mine", "n": 5, "b": True, "": "x"}
    assert headers(headers=given_headers) == {"x-a": "1", "user-agent": "mine", "n": "5", "b": "true"}
    rows = [{"key": "A", "value": "1"}, {"key": "A", "value": "2"}, {"key": "B", "value": "3", "enabled": False}]
    assert made(headers=rows).headers[:2] == (("A", "1"), ("A", "2"))


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b"])
def test_no_line_break_gets_into_a_header(value):
    scopes = Scopes(environment={"evil": {"value": value}})
    for where in ({"A": "{{evil}}"}, {"{{evil}}": "x"}):
        with pytest.raises(ComposeError, match=r"Header '.*' contains a line break") as fault:
            made(scopes, headers=where)
        assert fault.value.status == 400 and "\n" not in fault.value.message
    with pytest.raises(ComposeError, match="line break"):
        made(scopes, auth={"mode": "bearer", "token": "{{evil}}"})


@pytest.mark.parametrize("bad", [{"a b": "c"}, {"ä": "c"}, {"a:": "c"}, {"A": []}, "A: b", [["A", "b"]], 5])
def test_headers_that_cannot_be_sent(bad):
    with pytest.raises(ComposeError):
        made(headers=bad)


@pytest.mark.parametrize("method", [None, "", 5, "BREW", "TRACE", "CONNECT", "GET POST"])
def test_methods_that_do_not_exist(method):
    with pytest.raises(ComposeError, match="Invalid HTTP method") as fault:
        made(method=method)
    assert fault.value.error_code == "INVALID_METHOD"


BEARER = {"mode": "bearer", "token": "{{t}}"}
TOKEN = Scopes(environment={"t": {"value": "abc"}})


@pytest.mark.parametrize(
    ("auth", "wanted"),
    [
        ({"mode": "none"}, None),
        ({"mode": "noauth"}, None),
        (BEARER, "Bearer abc"),
        ({"type": "bearer", "token": "x"}, "Bearer x"),
        ({"mode": "basic", "username": "ü", "password": "{{t}}"}, "Basic w7w6YWJj"),
        ({"mode": "basic"}, "Basic Og=="),
        ({}, "Bearer inherited"),
        (None, "Bearer inherited"),
        ({"mode": "inherit"}, "Bearer inherited"),
    ],
)
def test_auth(auth, wanted):
    inherited = {"mode": "bearer", "token": "inherited"}
    found = dict(made(TOKEN, inherited, auth=auth).headers)
    assert found.get("Authorization") == wanted


def test_a_users_own_header_wins_over_auth():
    assert headers(headers={"authorization": "mine"}, auth={"mode": "bearer", "token": "x"})["authorization"] == "mine"
    assert headers(url="http://u:p%40@a.test/")["authorization"] == "Basic dTpwQA=="
    assert made(url="http://u:p@a.test/").url == "http://a.test/"


def test_keys_in_header_and_query():
    key = {"mode": "apikey", "key": "X-Key", "value": "a b&"}
    assert headers(auth=key)["x-key"] == "a b&"
    assert headers(auth=key | {"mode": "api-key", "in": "header"})["x-key"] == "a b&"
    for place in ({"in": "query"}, {"addTo": "query"}):
        assert made(url="http://a.test/?q=1", auth=key | place).url == "http://a.test/?q=1&X-Key=a%20b%26"


@pytest.mark.parametrize("mode", ["oauth2", "digest", "aws", "ntlm"])
def test_modes_that_are_only_stored(mode):
    with pytest.raises(ComposeError, match="Unsupported auth mode") as fault:
        made(auth={"mode": mode, "config": {}})
    assert fault.value.status == 400


def test_under_load_each_request_draws_its_own_values():
    ready = made(
        live=True,
        method="POST",
        url="http://a.test/{{$guid}}?who={{$randomFullName}}",
        headers={"X-N": "{{ $randomUUID }}"},
        body={"type": "json", "content": {"n": "{{$randomFirstName}}", "m": "{{$randomPassword}}"}},
        params={"e": "{{$randomEmail}}"},
    )
    assert [part for part in ready.template if isinstance(part, str)] == [
        "%$guid",
        "%$randomFullName",
        "%$randomEmail",
        LENGTH,
        "$randomUUID",
        "$randomFirstName",
        "$randomPassword",
    ]
    drawn = [draw(ready.template) for _ in range(50)]
    assert len(set(drawn)) == 50
    for request in drawn:
        head, _, body = request.partition(b"\r\n\r\n")
        assert int(re.search(rb"Content-Length: (\d+)", head)[1]) == len(body)
        assert re.match(rb"POST /[0-9a-f-]{36}\?who=\w+%20\w+&e=[\w.]+%40example\.com HTTP/1\.1\r\n", request)
    assert "dynamic" not in ready.url and b"dynamic" not in ready.body


def test_without_dynamic_names_there_is_no_template():
    assert made(live=True).template == ()
    assert made(live=True, url="https://{{$randomIP}}/x").template == ()  # one run has one target
    assert made(live=True, auth={"mode": "basic", "username": "{{$guid}}"}).template == ()
    assert made(headers={"A": "{{$guid}}"}).template == ()
    stored = Scopes(environment={"$guid": {"value": "mine"}})
    assert made(stored, live=True, headers={"A": "{{$guid}}"}).template == ()


@given(st.lists(st.sampled_from(["{{$randomInt}}", "{{$randomFullName}}", "x", "é", "\\r"]), max_size=8))
def test_a_template_always_states_the_true_length(words):
    ready = made(live=True, method="POST", body="".join(words), headers={"A": "{{$guid}} content-length: 5"})
    head, _, body = draw(ready.template).partition(b"\r\n\r\n")
    assert int(re.search(rb"\r\nContent-Length: (\d+)", head)[1]) == len(body)
