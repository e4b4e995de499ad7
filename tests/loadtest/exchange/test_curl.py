"""curl commands: read, written, and the one from the other (contract: load testing §16.1)."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.api.errors import Invalid
from loadtest.composing.compose import compose
from loadtest.composing.variables import Scopes
from loadtest.exchange.curl import as_curl
from loadtest.exchange.reading import parse
from loadtest.exchange.shell import words
from tests.loadtest.exchange.conftest import skipped

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20).filter(
    lambda text: "{{" not in text
)


def read(command):
    return parse(command).as_json()["collections"][0]["requests"][0]


def headers(request):
    return [(row["key"], row["value"]) for row in request["headers"]]


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("a b", ["a", "b"]),
        ("'a b' \"c d\"", ["a b", "c d"]),
        ("a\\ b", ["a b"]),
        ("a'b'\"c\"d", ["abcd"]),
        ("a \\\n  b", ["a", "b"]),
        ("a \\\r\n b", ["a", "b"]),
        ("''", [""]),
        (r"""$'it\'s\n\x41\u00e9\101'""", ["it's\nAéA"]),
        ('"a\\"b\\$c\\d"', ['a"b$c\\d']),
        ("a | b", ["a"]),
        ("a; b", ["a;", "b"]),
        ("a && b", ["a"]),
        ("a > f", ["a"]),
        ("a 2>&1", ["a"]),
        ("http://a?b=1&c=2", ["http://a?b=1&c=2"]),
        ("a$ 'b$' 'c'", ["a$", "b$", "c"]),
        ("$a", ["$a"]),
        ('$"x"', ["x"]),
    ],
)
def test_words(command, wanted):
    assert words(command) == wanted


@given(st.lists(texts, max_size=5))
def test_words_are_those_that_a_shell_sees(parts):
    assert words(shlex.join(["x", *parts])) == ["x", *parts]


@pytest.mark.parametrize(
    ("command", "method", "url", "body"),
    [
        ("curl a.test", "GET", "http://a.test", None),
        ("$ curl -s https://a.test/x?y=1", "GET", "https://a.test/x?y=1", None),
        ("curl -I a.test", "HEAD", "http://a.test", None),
        (
            "curl -XPUT --url=http://a.test -d x=1 -d y=2",
            "PUT",
            "http://a.test",
            {"mode": "x-www-form-urlencoded", "content": "x=1&y=2"},
        ),
        ("curl a.test --json '{\"a\": 1}'", "POST", "http://a.test", {"mode": "json", "content": '{"a": 1}'}),
        (
            "curl a.test -H 'content-type: application/json' --data-raw @x",
            "POST",
            "http://a.test",
            {"mode": "json", "content": "@x"},
        ),
        (
            "curl a.test -H 'Content-Type: text/plain' --data-binary $'a\\nb'",
            "POST",
            "http://a.test",
            {"mode": "text", "content": "a\nb"},
        ),
        ("curl -G a.test?x=1 -d y=2 --data-urlencode 'z=a b'", "GET", "http://a.test?x=1&y=2&z=a%20b", None),
        (
            "curl a.test --data-urlencode '=a&b' --data-urlencode 'c d' --data-urlencode 'e={{f}} g'",
            "POST",
            "http://a.test",
            {"mode": "x-www-form-urlencoded", "content": "a%26b&c%20d&e={{f}}%20g"},
        ),
        (
            "curl a.test -F a=1 -F 'b=x;type=text/plain' --form-string 'c=@d'",
            "POST",
            "http://a.test",
            {
                "mode": "form-data",
                "fields": [
                    {"key": "a", "value": "1", "enabled": True},
                    {"key": "b", "value": "x", "enabled": True},
                    {"key": "c", "value": "@d", "enabled": True},
                ],
            },
        ),
        ("/usr/bin/curl {{base}}/x -sSfkL", "GET", "{{base}}/x", None),
    ],
)
def test_commands(command, method, url, body):
    request = read(command)
    assert (request["method"], request["url"], request.get("body")) == (method, url, body)


def test_headers_auth_and_behaviour():
    request = read(
        "curl a.test -H 'X-A: 1' -H 'X-Empty;' -H 'Accept:' -A agent -e http://b.test -b 'c=1; d=2' --compressed"
        " -u 'me:a:b' -kL --max-redirs 3 -m 1.5"
    )
    assert headers(request) == [
        ("X-A", "1"),
        ("X-Empty", ""),
        ("User-Agent", "agent"),
        ("Referer", "http://b.test"),
        ("Cookie", "c=1; d=2"),
        ("Accept-Encoding", "gzip, deflate"),
    ]
    assert request["auth"] == {"mode": "basic", "username": "me", "password": "a:b"}
    assert (request["verifySSL"], request["followRedirects"], request["maxRedirects"]) == (False, True, 3)
    assert request["timeout"] == 1500
    assert read("curl a.test")["followRedirects"] is False


def test_credentials_move_to_where_they_are_stored_encrypted():
    assert read("curl a.test -H 'Authorization: Bearer abc'")["auth"] == {"mode": "bearer", "token": "abc"}
    basic = read("curl a.test -H 'authorization: Basic bWU6cHc='")
    assert basic["auth"] == {"mode": "basic", "username": "me", "password": "pw"} and basic["headers"] == []
    other = read("curl a.test -H 'Authorization: Digest x'")
    assert headers(other) == [("Authorization", "Digest x")] and other["auth"] == {"mode": "noauth"}


@pytest.mark.parametrize(
    "option",
    [
        "-d @f",
        "-d@f",
        "--data-binary @/etc/passwd",
        "-F 'a=@f'",
        "-F 'a=<f'",
        "-b jar.txt",
        "-T f",
        "-K f",
        "-H @f",
        "--data-urlencode @f",
        "--data-urlencode a@f",
    ],
)
def test_files_are_refused_with_a_clear_word(option):
    with pytest.raises(Invalid, match="reads a file"):
        parse(f"curl http://a.test {option}")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("curl a.test --frobnicate", "'--frobnicate' is not understood"),
        ("curl -X", "needs a value"),
        ("curl -s", "names no URL"),
        ("curl 'a.test", "within quotes"),
        ("curl a.test -X BREW", "Invalid HTTP method"),
        ("curl a.test -m soon", "needs a number"),
        ("curl a.test -F x", "a name and a value"),
    ],
)
def test_what_is_not_understood_is_told(command, words):
    with pytest.raises(Invalid, match=words):
        parse(command)


def test_what_is_left_out_is_told():
    tree = parse("curl a.test b.test -o out --proxy http://p.test --resolve x:1:2 | jq .").as_json()
    assert skipped(tree) == {"further URL": 1, "option -o": 1, "option --proxy": 1, "option --resolve": 1}


@pytest.mark.parametrize(
    ("definition", "command"),
    [
        ({"method": "GET", "url": "http://a.test"}, "curl --location http://a.test/"),
        ({"method": "HEAD", "url": "http://a.test", "followRedirects": False}, "curl --head http://a.test/"),
        (
            {"method": "DELETE", "url": "http://a.test/{x}", "verifySSL": False, "timeout": 1500},
            "curl --request DELETE --location --insecure --max-time 1.5 http://a.test/%7Bx%7D",
        ),
        (
            {"method": "POST", "url": "http://[::1]/a?b[]=1", "body": "it's"},
            "curl --location --globoff 'http://[::1]/a?b[]=1' \\\n"
            "  --header 'Content-Type: text/plain; charset=utf-8' \\\n"
            """  --data-raw 'it'"'"'s'""",
        ),
        (
            {
                "method": "POST",
                "url": "http://a.test",
                "body": {"mode": "form-data", "fields": [{"key": "a", "value": "@b"}]},
            },
            "curl --location http://a.test/ \\\n  --form-string a=@b",
        ),
        (
            {"method": "PUT", "url": "http://a.test/a/../b", "body": {"mode": "binary", "contentBase64": "AP8="}},
            "echo AP8= | base64 --decode | curl --request PUT --location --path-as-is http://a.test/a/../b \\\n"
            "  --header 'Content-Type: application/octet-stream' \\\n  --data-binary @-",
        ),
        (
            {"method": "GET", "url": "http://a.test", "headers": {"X": ""}},
            "curl --location http://a.test/ \\\n  --header 'X;'",
        ),
    ],
)
def test_commands_to_copy(definition, command):
    assert as_curl(definition) == command


def test_secrets_stay_out_unless_they_are_asked_for():
    scopes = Scopes(environment={"t": {"value": "s3cret", "secret": True}, "h": {"value": "a.test", "secret": False}})
    definition = {
        "method": "GET",
        "url": "http://{{h}}/",
        "headers": {"X": "{{t}}"},
        "auth": {"mode": "bearer", "token": "{{t}}"},
    }
    inherited = {"mode": "basic", "username": "me", "password": "pw12345"}
    told = as_curl(definition, scopes)
    assert "s3cret" not in told and "'X: <t>'" in told and "Bearer <t>" in told and "http://a.test/" in told
    assert as_curl(definition, scopes, secrets=True).count("s3cret") == 2
    own = {
        "method": "GET",
        "url": "http://a.test",
        "auth": {"mode": "apikey", "key": "K", "value": "pw12345", "in": "query"},
    }
    assert "K=%3Cvalue%3E" in as_curl(own) and "pw12345" in as_curl(own, secrets=True)
    plain = {"method": "GET", "url": "http://a.test"}
    assert "Basic" in as_curl(plain, None, inherited) and "bWU6cHcxMjM0NQ" not in as_curl(plain, None, inherited)
    assert "bWU6cHcxMjM0NQ" in as_curl(plain, None, inherited, secrets=True)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
    st.lists(st.tuples(texts.filter(bool), texts), max_size=3),
    st.lists(st.tuples(st.from_regex(r"X-[A-Za-z0-9]{1,8}", fullmatch=True), texts), max_size=3),
    texts,
)
def test_what_is_copied_and_read_again_is_the_same_request(method, params, given_headers, body):
    clean = [(name, " ".join(value.split()).strip()) for name, value in given_headers]
    definition = {
        "method": method,
        "url": "http://a.test/p",
        "body": {"type": "text", "content": body},
        "params": [{"key": key, "value": value} for key, value in params],
        "headers": [{"key": key, "value": value} for key, value in clean if value.isprintable()],
    }
    sent, again = compose(definition, Scopes()), compose(read(as_curl(definition)), Scopes())
    assert (again.method, again.url, again.body) == (sent.method, sent.url, sent.body)
    assert sorted(again.headers) == sorted(sent.headers)


@pytest.mark.django_db
@pytest.mark.storage
def test_a_command_goes_into_a_collection(imported, make, operator):
    shop = make("collections", name="Shop")["id"]
    answer = imported("curl https://a.test/orders -H 'Authorization: Bearer t0ken'", collectionId=shop)
    (row,) = operator.get(f"/api/loadtest/requests?collectionId={shop}").json()
    assert answer["requests"] == [row] and answer["collections"] == []
    assert (row["name"], row["auth"]) == ("GET /orders", {"mode": "bearer", "token": "t0ken"})
    told = operator.get(f"/api/loadtest/requests/{row['id']}/curl").json()["command"]
    assert "t0ken" not in told and "<token>" in told
    clear = operator.get(f"/api/loadtest/requests/{row['id']}/curl?secrets=true").json()["command"]
    assert "Bearer t0ken" in clear


@pytest.mark.django_db
def test_who_may_copy_what(imported, api, operator):
    (row,) = imported("curl https://a.test/orders -u me:pw12345")["requests"]
    path = f"/api/loadtest/requests/{row['id']}/curl"
    assert api("VIEWER").get(path).status_code == 200
    assert api("VIEWER").get(f"{path}?secrets=true").status_code == 403
    assert operator.get("/api/loadtest/requests/nobody/curl").status_code == 404
