"""Requests sent by hand, through the API, to a real server on loopback."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.loadtest.engine.conftest import certificate, tls  # noqa: F401  fixtures

BASE = "/api/loadtest"


@pytest.fixture
def operator(api: Callable[..., Any]) -> Any:
    return api("OPERATOR")


@pytest.fixture
def send(operator: Any, local_server: Any) -> Callable[..., dict]:
    """`send("/path", headers={...})` is the answer of `POST /request`, a GET to the local server unless told."""

    def request(path: str = "/", **body: Any) -> dict:
        answer = operator.post(f"{BASE}/request", {"method": "GET", "url": f"{local_server.url}{path}"} | body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return request


@pytest.fixture
def refused(operator: Any, local_server: Any) -> Callable[..., str]:
    """The text of the 400 for a body."""

    def request(**body: Any) -> str:
        given = {"method": "GET", "url": local_server.url} | body
        answer = operator.post(f"{BASE}/request", {name: value for name, value in given.items() if value is not ...})
        assert answer.status_code == 400, answer.text
        return answer.json()["error"]

    return request


@pytest.fixture
def make(operator: Any) -> Callable[..., dict]:
    """`make("collections", name="A")` creates through the API."""

    def create(what: str, **body: Any) -> dict:
        answer = operator.post(f"{BASE}/{what}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return create
