"""What the caller of `POST /request` gets (contract: load testing §9)."""

import gzip
import json
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.listener import listening, sending

TIMES = ("total", "wire", "queueWait", "dns", "connect", "tls", "firstByte", "download")


def test_an_exchange(send, local_server):
    local_server.answer("/echo", status=201, body='{"id": 7}', headers={"Content-Type": "application/json", "X-A": "1"})
    got = send(
        "/echo?own=1",
        method="post",
        body={"type": "json", "content": {"a": 1}},
        params={"p": "x y"},
        headers={"X-Mine": 5, "X-Off": True},
    )
    [sent] = local_server.requests
    assert (sent.method, sent.path, sent.json()) == ("POST", "/echo?own=1&p=x%20y", {"a": 1})
    assert (sent.headers["x-mine"], sent.headers["x-off"], sent.headers["content-type"]) == (
        "5",
        "true",
        "application/json",
    )
    assert (got["statusCode"], got["status"], got["statusText"]) == (201, 201, "Created")
    assert (got["body"], got["bodyRaw"], got["bodySize"]) == ('{"id": 7}', '{"id": 7}', 9)
    assert (got["headers"]["x-a"], got["headers"]["content-type"]) == ("1", "application/json")
    assert (got["testResults"], got["consoleLogs"]) == ([], [])
    assert got["runId"].startswith("run_")
    assert got["requestHeaders"]["X-Mine"] == "5"
    assert got["rawRequest"].startswith("POST /echo?own=1&p=x%20y HTTP/1.1\r\n")
    assert f"\r\nHost: 127.0.0.1:{local_server.port}\r\n" in got["rawRequest"]
    assert got["rawRequest"].endswith('\r\n\r\n{"a":1}')
    assert not {"errorCode", "errorMessage", "preScriptError", "postScriptError", "bodyBase64"} & set(got)


def test_any_status_is_an_answer(send, local_server):
    local_server.answer("/no", status=404, body="gone")
    assert send("/no")["statusCode"] == 404


@pytest.mark.parametrize(("line", "text"), [("299 Fine by me", "Fine by me"), ("404", "Not Found"), ("599", "")])
def test_the_reason_phrase_is_that_of_the_wire(send, line, text):
    with listening(sending(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n".encode())) as server:
        got = send(url=server.url())
    assert (got["statusCode"], got["statusText"]) == (int(line[:3]), text)


def test_times_make_the_whole(send, local_server):
    local_server.answer("/slow", body="x" * 20, delay_s=0.1, body_s=0.1)
    timing = send("/slow")["timing"]
    assert {f"{name}Ms": timing[name] for name in TIMES} | {name: timing[name] for name in TIMES} == timing
    assert min(timing.values()) >= 0
    parts = sum(timing[name] for name in TIMES[3:])
    assert parts == pytest.approx(timing["wire"], abs=0.01)
    assert timing["wire"] <= timing["total"] <= timing["wire"] + 50
    assert timing["firstByte"] >= 95 and timing["download"] >= 90
    assert (timing["tls"], timing["queueWait"]) == (0, pytest.approx(timing["total"] - timing["wire"], abs=0.01))


def test_bodies_are_decoded(send, local_server):
    plain = "grüße " * 1000
    local_server.answer("/z", body=gzip.compress(plain.encode()), headers={"Content-Encoding": "gzip"})
    got = send("/z")
    assert (got["body"], got["bodySize"]) == (plain, len(plain.encode()))


@pytest.mark.parametrize(
    ("data", "kind", "body"),
    [
        ("ü".encode("latin-1"), "text/plain; charset=iso-8859-1", "ü"),
        (b"\xffabc", "text/plain", "\ufffdabc"),
        ("ü".encode(), "text/plain; charset=nonsense", "ü"),
        ("\ufeffü".encode(), "text/html", "ü"),
        (b"<svg/>", "image/svg+xml", "<svg/>"),
        (b"{}", "application/vnd.api+json", "{}"),
        (b"plain", "application/unheard-of", "plain"),
        (b"", "image/png", ""),
    ],
)
def test_texts_are_shown_as_text(send, local_server, data, kind, body):
    local_server.answer("/t", body=data, headers={"Content-Type": kind})
    got = send("/t")
    assert (got["body"], got["bodySize"], "bodyBase64" in got) == (body, len(data), False)


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "application/unheard-of", ""])
def test_other_bodies_are_shown_in_base64(send, local_server, kind):
    data = bytes(range(256))
    local_server.answer("/b", body=data, headers={"Content-Type": kind} if kind else {})
    got = send("/b", postRequestScript="console.log(pm.response.size().body)")
    assert (got["body"], got["bodyBase64"], got["bodySize"]) == (b64encode(data).decode(), True, 256)
    assert got["consoleLogs"] == ["256"]


def test_repeated_headers_are_joined(send):
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-UP: Yes\r\nContent-Length: 0\r\n\r\n"
    with listening(sending(answer)) as server:
        headers = send(url=server.url())["headers"]
    assert (headers["set-cookie"], headers["x-up"]) == ("a=1, b=2", "Yes")


def test_redirects(send, local_server):
    local_server.redirect("/from", "/to")
    local_server.answer("/to", body="there", headers={"X-Hop": "2"})
    got = send("/from")
    assert (got["statusCode"], got["body"], got["headers"]["x-hop"]) == (200, "there", "2")
    assert "location" not in got["headers"]
    assert got["rawRequest"].startswith("GET /from ")
    assert send("/from", followRedirects=False)["statusCode"] == 302
    assert send("/from", maxRedirects=0)["statusCode"] == 302
    local_server.redirect("/loop", "/loop")
    got = send("/loop", maxRedirects=2)
    assert (got["errorCode"], len(local_server.requests)) == ("INTERNAL_ERROR", 7)


def test_methods(send, local_server):
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
    for method in methods:
        assert send(method=method)["statusCode"] == 200
    assert [request.method for request in local_server.requests] == methods
    assert send(method="GET", body="with a body")["statusCode"] == 200
    assert local_server.requests[-1].body == b"with a body"


def test_headers_of_the_connection_are_ours(send, local_server):
    """They come with requests that were copied from elsewhere."""
    copied = {
        "Content-Length": "999",
        "Connection": "keep-alive",
        "Transfer-Encoding": "chunked",
        "Host": "shop.example",
    }
    got = send(method="POST", headers=copied, body="abc")
    [sent] = local_server.requests
    assert (sent.body, sent.headers["host"], sent.headers["content-length"]) == (b"abc", "shop.example", "3")
    assert got["requestHeaders"]["Host"] == "shop.example"


def test_rows_may_be_switched_off_and_repeated(send, local_server):
    rows = [{"key": "X-A", "value": "1", "enabled": True}, {"key": "x-b", "value": "2", "enabled": False}]
    got = send(headers=rows, params=[{"key": "p", "value": "1"}, {"key": "p", "value": "2"}])
    assert local_server.requests[0].path == "/?p=1&p=2"
    assert "x-b" not in local_server.requests[0].headers
    assert got["requestHeaders"]["X-A"] == "1"


def test_auth(send, local_server, make):
    assert send(auth={"mode": "bearer", "token": "abc"})["requestHeaders"]["Authorization"] == "Bearer abc"
    basic = send(auth={"type": "basic", "username": "u", "password": "p"})
    assert basic["requestHeaders"]["Authorization"] == "Basic dTpw"
    collection = make(
        "collections",
        name="C",
        auth={"mode": "apikey", "key": "X-Key", "value": "{{k}}"},
        variables={"k": "from the collection"},
    )
    saved = make("requests", collectionId=collection["id"], name="R", method="GET", url="http://x/")
    assert send(requestId=saved["id"])["requestHeaders"]["X-Key"] == "from the collection"
    assert "X-Key" not in send(requestId=saved["id"], auth={"mode": "noauth"})["requestHeaders"]
    assert "X-Key" not in send()["requestHeaders"]


@pytest.mark.django_db(transaction=True)
def test_many_at_once(send, local_server):
    local_server.answer("/slow", delay_s=0.2, body="ok")
    send()
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert [got["body"] for got in pool.map(lambda _: send("/slow"), range(4))] == ["ok"] * 4
    assert time.monotonic() - began < 2


def test_a_body_is_json_whatever_its_type_says(operator, local_server):
    given = json.dumps({"method": "GET", "url": local_server.url})
    answer = operator.post("/api/loadtest/request", given, headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["statusCode"]) == (200, 200)


def test_tls(send, tls):
    with listening(sending(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), tls=tls) as server:
        url = server.url(scheme="https")
        unknown = send(url=url)
        assert (unknown["errorCode"], unknown["timing"]["firstByte"]) == ("SSL_ERROR", 0)
        got = send(url=url, verifySSL=False)
    assert (got["statusCode"], got["body"]) == (200, "ok")
    assert got["timing"]["tls"] > 0
    assert sum(got["timing"][name] for name in TIMES[3:]) == pytest.approx(got["timing"]["wire"], abs=0.01)
