"""Imports through the API."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.loadtest.workspace.conftest import make, operator, refused

__all__ = ["make", "operator", "refused"]


@pytest.fixture
def parsed(operator: Any) -> Callable[..., dict]:
    """`parsed(document)` is the tree; a document that is no text is sent as JSON."""

    def parse(content: Any, **more: Any) -> dict:
        text = content if isinstance(content, str) else json.dumps(content)
        answer = operator.post("/api/loadtest/import/parse", {"content": text, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return parse


@pytest.fixture
def imported(operator: Any) -> Callable[..., dict]:
    """`imported(document)` stores it."""

    def store(content: Any, **more: Any) -> dict:
        text = content if isinstance(content, str) else json.dumps(content)
        answer = operator.post("/api/loadtest/import", {"content": text, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return store


def skipped(tree: dict) -> dict[str, int]:
    return {row["kind"]: row["count"] for row in tree["meta"]["skipped"]}
