"""Environments and globals over HTTP (contract: load testing §6)."""

import re

import pytest

from tests.loadtest.workspace.conftest import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


def test_environments(make, operator):
    first, second = make("environments", name="staging"), make("environments", name="production", isActive=True)
    assert re.fullmatch(r"env_\d+", first["id"])
    assert set(first) == {"id", "name", "description", "isActive", "variables", "createdAt", "updatedAt"}
    assert (first["isActive"], second["isActive"], first["variables"]) == (False, True, {})
    assert operator.get(f"{BASE}/environments").json() == [first, second]
    assert operator.get(f"{BASE}/environments/{first['id']}").json() == first


def test_variables_are_replaced_as_a_whole(make):
    made = make("environments", name="staging", variables={"a": "1", "b": "2"})
    kept = make("environments", id=made["id"], name="staging 2")
    assert set(kept["variables"]) == {"a", "b"}
    assert set(make("environments", id=made["id"], variables={"c": "3"})["variables"]) == {"c"}
    assert make("environments", id=made["id"], variables=None)["variables"] == {}


def test_entries_come_back_as_written(make):
    entries = {"n": {"value": "5", "enabled": False, "secret": False, "type": "number", "createdAt": 1_763_800_000_000}}
    assert make("environments", name="e", variables=entries)["variables"] == entries


def test_what_is_refused(refused):
    assert refused("environments", {}) == "Missing required field: name"
    assert "variables.a.type" in refused("environments", {"name": "e", "variables": {"a": {"type": "date"}}})
    assert "isActive" in refused("environments", {"name": "e", "isActive": 1})
    assert "variables" in refused("globals", {"variables": []})


def test_deletion(make, operator):
    made = make("environments", name="staging")
    answer = operator.delete(f"{BASE}/environments/{made['id']}")
    assert (answer.status_code, answer.json()) == (
        200, {"message": "Environment deleted successfully", "id": made["id"], "success": True},
    )  # fmt: skip
    for answer in (
        operator.delete(f"{BASE}/environments/{made['id']}"), operator.get(f"{BASE}/environments/{made['id']}"),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()) == (404, {"error": "Environment not found"})


def test_globals(operator, make):
    assert operator.get(f"{BASE}/globals").json() == {"id": "globals", "variables": {}, "updatedAt": 0}
    made = make("globals", variables={"a": "1"})
    assert made["variables"]["a"]["value"] == "1" and made["updatedAt"] > 0
    assert operator.get(f"{BASE}/globals").json() == made
    assert make("globals")["variables"] == {}
