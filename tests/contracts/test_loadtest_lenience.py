"""Load testing takes what clients in other languages send for the same thing (contract: load testing §4, §5, §8.2)."""

import pytest

from tests.loadtest.workspace.conftest import BASE

pytestmark = pytest.mark.django_db


def test_an_order_of_null_says_nothing_and_whole_numbers_may_be_floats(operator):
    first = operator.post(f"{BASE}/collections", {"name": "a", "order": None}).json()
    second = operator.post(f"{BASE}/collections", {"name": "b", "order": 7.0}).json()
    assert (first["order"], second["order"]) == (0, 7) and isinstance(second["order"], int)
    assert operator.post(f"{BASE}/collections", {"id": second["id"], "order": None}).json()["order"] == 7
    saved = {"collectionId": first["id"], "name": "r", "method": "GET", "url": "http://a/", "order": None}
    assert [operator.post(f"{BASE}/requests", saved).json()["order"] for _ in range(2)] == [0, 1]
    assert operator.post(f"{BASE}/collections", {"name": "c", "order": 1.5}).status_code == 400


def test_an_empty_object_is_no_body(operator):
    home = operator.post(f"{BASE}/collections", {"name": "a"}).json()["id"]
    saved = {"collectionId": home, "name": "r", "method": "GET", "url": "http://a/", "body": {}, "bodyType": "json"}
    made = operator.post(f"{BASE}/requests", saved).json()
    assert (made["body"], made["bodyType"]) == ({}, "none")
    assert operator.post(f"{BASE}/requests", saved | {"body": {"content": "x"}}).status_code == 400
