"""Requests as bytes, and what is refused before anything is sent."""

import socket

import pytest

from loadtest.engine.plan import PlanError
from loadtest.engine.requests import Unreachable, parse_url, reachable, render, resolve


@pytest.mark.parametrize(
    ("url", "line", "host"),
    [
        ("http://example.com", "GET / HTTP/1.1", "example.com"),
        ("example.com:8080/a", "GET /a HTTP/1.1", "example.com:8080"),
        ("https://example.com:443/a?b=c#d", "GET /a?b=c HTTP/1.1", "example.com"),
        ("https://example.com:80/", "GET / HTTP/1.1", "example.com:80"),
        ("http://[::1]:8000/x", "GET /x HTTP/1.1", "[::1]:8000"),
        ("http://example.com/a b/ü?q=ü%20x", "GET /a%20b/%C3%BC?q=%C3%BC%20x HTTP/1.1", "example.com"),
        ("http://bücher.example/", "GET / HTTP/1.1", "xn--bcher-kva.example"),
        ("http://example.com?only=query", "GET /?only=query HTTP/1.1", "example.com"),
    ],
)
def test_request_line_and_host(url: str, line: str, host: str) -> None:
    lines = render(parse_url(url)).decode().split("\r\n")
    assert lines[0] == line
    assert f"Host: {host}" in lines
    assert lines[-2:] == ["", ""]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "http://",
        "http:///path",
        "http://exa mple/",
        "http://a:0/",
        "http://a:99999/",
        "http://[::1/",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(PlanError) as refused:
        parse_url(url)
    assert refused.value.field == "url"


def test_headers_given_replace_the_usual_ones() -> None:
    headers = [("host", "other"), ("USER-AGENT", "mine"), ("X-A", "1"), ("X-A", "2")]
    sent = render(parse_url("http://example.com/"), method="POST", headers=headers, body=b"abc").decode()
    head, _, body = sent.partition("\r\n\r\n")
    assert body == "abc"
    assert head.count("ost:") == head.lower().count("user-agent:") == 1
    assert "Content-Length: 3" in head
    assert "X-A: 1\r\nX-A: 2" in head
    assert "encoding" not in head.lower()  # bodies are measured as the server sends them


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_an_empty_body_is_told(method: str) -> None:
    assert b"Content-Length: 0\r\n" in render(parse_url("http://a/"), method=method)


def test_credentials_in_the_address() -> None:
    assert b"Authorization: Basic dXNlcjpwQHNz\r\n" in render(parse_url("http://user:p%40ss@a/"))


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"method": "BREW"}, "method"),
        ({"method": "HEAD", "body": b"x"}, "body"),
        ({"headers": [("X A", "1")]}, "header"),
        ({"headers": [("", "1")]}, "header"),
        ({"headers": [("X-A", "1\r\nX-B: 2")]}, "header"),
        ({"headers": [("Transfer-Encoding", "chunked")]}, "header"),
        ({"headers": [("Content-Length", "5")], "body": b"abc"}, "header"),
    ],
)
def test_refused(options: dict, field: str) -> None:
    with pytest.raises(PlanError) as refused:
        render(parse_url("http://a/"), **options)
    assert refused.value.field == field


def test_names_are_looked_up_once_and_checked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = reachable(resolve(parse_url(f"http://localhost:{port}/")))
        assert found.addresses[0] == ("127.0.0.1", port)
        assert found.took_us >= 0
    with pytest.raises(Unreachable, match=f"port {port}"):
        reachable(resolve(parse_url(f"http://127.0.0.1:{port}/")))


def test_names_that_do_not_exist() -> None:
    with pytest.raises(Unreachable, match="does not resolve"):
        resolve(parse_url("http://" + "a" * 70 + ".invalid/"))
