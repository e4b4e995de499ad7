"""Fetching what to import (contract: load testing §1.2)."""

import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


@pytest.fixture
def fetch(operator):
    def post(**body):
        answer = operator.post("/api/loadtest/import/fetch", body)
        return answer.status_code, answer.json()

    return post


def test_a_document_is_fetched(fetch, local_server):
    local_server.answer(
        "/api.yaml", body="openapi: é".encode(), headers={"Content-Type": "application/yaml; charset=utf-8"}
    )
    local_server.redirect("/old", "/api.yaml")
    for path in ("/api.yaml", "/old"):
        assert fetch(url=local_server.url + path) == (
            200, {"content": "openapi: é", "contentType": "application/yaml; charset=utf-8"},
        )  # fmt: skip
    local_server.answer(
        "/latin", body="é".encode("latin-1"), headers={"Content-Type": "text/plain; charset=ISO-8859-1"}
    )
    assert fetch(url=f"{local_server.url}/latin")[1]["content"] == "é"
    local_server.answer("/raw", body=b"\xff\x00a", headers={"Content-Type": "text/plain; charset=zlib"})
    assert fetch(url=f"{local_server.url}/raw")[1]["content"] == "\ufffd\ufffda"


@pytest.mark.parametrize(
    "url", [None, 5, "", "a.test", "ftp://a.test", "file:///etc/passwd", "http://", "http://u:p@a.test/"]
)
def test_what_is_no_address(fetch, url):
    assert fetch(url=url) == (400, {"error": "Invalid URL"})


def test_what_cannot_be_fetched(fetch, local_server):
    local_server.answer("/gone", status=404)
    local_server.answer("/large", body=b"x" * 5000)
    local_server.answer("/drop", drop=True)
    for path, more in (("/gone", {}), ("/large", {"maxBytes": 100}), ("/drop", {})):
        status, body = fetch(url=local_server.url + path, **more)
        assert status == 502 and body["error"].startswith("Failed to fetch: ")
    assert fetch(url=local_server.url, maxBytes="5")[0] == 400


def test_the_rules_for_outgoing_calls_hold(fetch, settings, local_server):
    assert fetch(url="http://169.254.169.254/latest")[0] == 502
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    status, body = fetch(url=local_server.url)
    assert status == 502 and "not allowed" in body["error"] and not local_server.requests


def test_fetching_takes_an_operator(api):
    assert api("VIEWER").post("/api/loadtest/import/fetch", {"url": "http://a.test"}).status_code == 403
