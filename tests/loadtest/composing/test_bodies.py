"""Bodies on the wire (contract: load testing §8.2)."""

import json
from base64 import b64encode
from email.parser import BytesParser
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.composing.compose import ComposeError, compose
from loadtest.composing.variables import Scopes

SCOPES = Scopes(environment={"who": {"value": 'Ann "A" & Co'}})
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).filter(lambda text: "{{" not in text)


def sent(body, scopes=SCOPES, **more):
    made = compose({"method": "POST", "url": "http://a.test", "body": body, **more}, scopes)
    return made.body, {name.lower(): value for name, value in made.headers}.get("content-type")


@pytest.mark.parametrize(
    ("body", "wanted", "kind"),
    [
        (None, b"", None),
        ("", b"", None),
        ({"type": "none", "content": "x"}, b"", None),
        ("Hi {{who}}", b'Hi Ann "A" & Co', "text/plain; charset=utf-8"),
        ({"type": "text", "content": "é"}, "é".encode(), "text/plain; charset=utf-8"),
        ({"mode": "raw", "content": "x"}, b"x", "text/plain; charset=utf-8"),
        ({"type": "json", "content": '{ "a" :1}'}, b'{ "a" :1}', "application/json"),
        (
            {"type": "json", "content": {"a": ["{{who}}", 1, None]}},
            b'{"a":["Ann \\"A\\" & Co",1,null]}',
            "application/json",
        ),
        ({"type": "json", "content": []}, b"[]", "application/json"),
        ({"type": "xml", "content": "<a/>"}, b"<a/>", "application/xml"),
        ({"type": "binary", "content": "raw"}, b"raw", "application/octet-stream"),
        ({"type": "binary", "contentBase64": "AAH/"}, b"\x00\x01\xff", "application/octet-stream"),
        ({"type": "graphql", "content": "{ me }"}, b'{"query":"{ me }"}', "application/json"),
        (
            {"type": "graphql", "content": {"query": "{ me }", "variables": {"a": 1}}},
            b'{"query":"{ me }","variables":{"a":1}}',
            "application/json",
        ),
        ({"mode": "graphql", "query": "{ me }"}, b'{"query":"{ me }"}', "application/json"),
        (
            {"type": "form", "content": {"a b": "{{who}}", "n": 1}},
            b"a%20b=Ann%20%22A%22%20%26%20Co&n=1",
            "application/x-www-form-urlencoded",
        ),
        (
            {
                "mode": "x-www-form-urlencoded",
                "fields": [
                    {"key": "a", "value": "1"},
                    {"key": "a", "value": "2"},
                    {"key": "b", "value": "3", "enabled": False},
                ],
            },
            b"a=1&a=2",
            "application/x-www-form-urlencoded",
        ),
        ({"type": "x-www-form-urlencoded", "content": "a=1&b=%20"}, b"a=1&b=%20", "application/x-www-form-urlencoded"),
    ],
)
def test_bodies(body, wanted, kind):
    assert sent(body) == (wanted, kind)


def test_a_saved_body_has_the_type_beside_it():
    assert sent('{"a":1}', bodyType="json") == (b'{"a":1}', "application/json")
    assert sent("ignored", bodyType="none") == (b"", None)


def test_the_callers_content_type_wins_except_for_multipart():
    headers = {"content-TYPE": "application/vnd.x+json"}
    assert sent({"type": "json", "content": {}}, headers=headers)[1] == "application/vnd.x+json"
    assert sent({"type": "form-data", "content": {"a": "b"}}, headers=headers)[1].startswith(
        "multipart/form-data; bound"
    )


def parts(body, content_type):
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    return [(part.get_param("name", header="content-disposition"), part) for part in message.get_payload()]


def test_multipart_with_files():
    fields = [
        {"key": "who", "value": "{{who}}"},
        {"key": "off", "value": "x", "enabled": False},
        {"key": "doc", "type": "file", "fileName": 'a"b.bin', "contentBase64": b64encode(b"\x00\xff").decode()},
    ]
    (who, text), (doc, data) = parts(*sent({"mode": "formdata", "fields": fields}))
    assert (who, text.get_payload()) == ("who", 'Ann "A" & Co')
    assert (doc, data.get_filename(), data.get_payload(decode=True)) == ("doc", "a%22b.bin", b"\x00\xff")
    assert data.get_content_type() == "application/octet-stream"


def test_an_empty_form():
    body, kind = sent({"type": "form-data", "content": {}})
    assert body == b"--" + kind.partition("boundary=")[2].encode() + b"--\r\n"


@given(st.lists(st.tuples(texts.filter(bool), texts), min_size=1, max_size=5))
def test_forms_give_back_what_was_put_in(pairs):
    body, _ = sent({"type": "form", "fields": [{"key": key, "value": value} for key, value in pairs]}, Scopes())
    assert parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True) == pairs


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
        max_leaves=10,
    )
)
def test_json_gives_back_what_was_put_in(value):
    if value is not None and not isinstance(value, str):
        assert json.loads(sent({"type": "json", "content": value}, Scopes())[0]) == value


@given(st.lists(st.tuples(st.text("ab \r\n\"'%;é", min_size=1, max_size=8), st.binary(max_size=60)), max_size=4))
def test_no_content_breaks_out_of_its_part(fields):
    rows = [{"key": key, "type": "file", "contentBase64": b64encode(data).decode()} for key, data in fields]
    body, kind = sent({"type": "form-data", "fields": rows}, Scopes())
    boundary = b"--" + kind.partition("boundary=")[2].encode()
    pieces = body.split(boundary)
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n"
    assert [piece.split(b"\r\n\r\n", 1)[1][:-2] for piece in pieces[1:-1]] == [data for _, data in fields]


@pytest.mark.parametrize(
    "body",
    [
        5,
        [],
        True,
        {"content": "x"},
        {"type": "magic"},
        {"type": 5},
        {"type": []},
        {"type": "text", "content": {}},
        {"type": "binary"} | {"contentBase64": "?"},
        {"type": "binary", "contentBase64": 5},
        {"type": "form", "fields": 5},
        {"type": "form", "fields": [5]},
        {"type": "form-data", "fields": [{"key": "a", "type": "file"}]},
        {"type": "form", "content": {"a": []}},
        {
            "type": "form-data",
            "fields": [{"key": "a", "type": "file", "contentBase64": "", "contentType": "a\r\nb: c"}],
        },
        {"type": "xml", "content": []},
    ],
)
def test_what_does_not_fit_is_refused(body):
    with pytest.raises(ComposeError) as fault:
        sent(body)
    assert fault.value.status == 400


def test_head_carries_no_body():
    with pytest.raises(ComposeError) as fault:
        compose({"method": "HEAD", "url": "http://a.test", "body": "x"}, Scopes())
    assert fault.value.error_code == "INVALID_METHOD"
    assert compose({"method": "get", "url": "http://a.test", "body": "x"}, Scopes()).method == "GET"
