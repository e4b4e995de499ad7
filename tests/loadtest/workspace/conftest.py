"""Clients of the load testing API, and things to begin with."""

from collections.abc import Callable
from typing import Any

import pytest

BASE = "/api/loadtest"


@pytest.fixture
def operator(api: Callable[..., Any]) -> Any:
    """A client who may write."""
    return api("OPERATOR")


@pytest.fixture
def make(operator: Any) -> Callable[..., dict]:
    """`make("collections", name="A")` creates through the API and returns the answer."""

    def create(what: str, **body: Any) -> dict:
        answer = operator.post(f"{BASE}/{what}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return create


@pytest.fixture
def refused(operator: Any) -> Callable[..., str]:
    """`refused("collections", {...})` posts and returns the text of the 400."""

    def post(what: str, body: Any) -> str:
        answer = operator.post(f"{BASE}/{what}", body)
        assert answer.status_code == 400, answer.text
        return answer.json()["error"]

    return post
