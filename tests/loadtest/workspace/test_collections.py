"""Collections over HTTP (contract: load testing §4)."""

import re
import time

import pytest

from loadtest.workspace.models import Collection, SavedRequest
from tests.loadtest.workspace.conftest import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


def test_a_collection_with_every_default(make, operator):
    made = make("collections", name="Shop")
    assert re.fullmatch(r"col_\d+", made["id"])
    assert abs(made["createdAt"] - time.time() * 1000) < 60_000 and made["updatedAt"] >= made["createdAt"]
    assert made | {"id": "", "createdAt": 0, "updatedAt": 0} == {
        "id": "", "name": "Shop", "parentId": None, "variables": {}, "order": 0, "createdAt": 0, "updatedAt": 0,
        "description": "", "auth": {"mode": "none"}, "preRequestScript": "", "postRequestScript": "",
    }  # fmt: skip
    assert operator.get(f"{BASE}/collections").json() == [made]


def test_lists_are_ordered_and_new_ones_come_last_among_their_siblings(make, operator):
    first = make("collections", name="first")
    child = make("collections", name="child", parentId=first["id"])
    second = make("collections", name="second")
    front = make("collections", name="front", order=-5)
    assert [row["order"] for row in (first, child, second, front)] == [0, 0, 1, -5]
    listed = operator.get(f"{BASE}/collections").json()
    assert [row["id"] for row in listed] == [front["id"], first["id"], child["id"], second["id"]]


def test_a_client_chooses_the_id_and_updates_what_it_names(make):
    made = make("collections", id="my own: id", name="A", description="words", variables={"a": "1"})
    assert made["id"] == "my own: id"
    time.sleep(0.002)
    changed = make("collections", id="my own: id", name="B")
    assert (changed["name"], changed["description"], changed["createdAt"]) == ("B", "words", made["createdAt"])
    assert changed["variables"] == made["variables"] and changed["updatedAt"] > made["updatedAt"]
    emptied = make("collections", id="my own: id", description=None, variables=None, auth=None, preRequestScript=None)
    assert (emptied["name"], emptied["description"], emptied["variables"]) == ("B", "", {})
    assert Collection.objects.count() == 1


def test_shorthand_variables(make):
    made = make("collections", name="A", variables={"text": "x", "number": 8080, "flag": True, "part": {"value": "y"}})
    assert made["variables"] == {
        "text": {"value": "x", "enabled": True, "secret": False},
        "number": {"value": "8080", "enabled": True, "secret": False},
        "flag": {"value": "true", "enabled": True, "secret": False},
        "part": {"value": "y", "enabled": True, "secret": False},
    }


@pytest.mark.parametrize("name", [None, "", "  ", 5, [], {}])
def test_a_new_collection_needs_a_name(refused, name):
    assert refused("collections", {"name": name}) == "Missing required field: name"
    assert refused("collections", {}) == "Missing required field: name"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""), ("id", 5), ("id", "a/b"), ("id", "a?b"), ("id", "a#b"), ("id", "a\nb"), ("id", "x" * 129),
        ("parentId", "nobody"), ("parentId", 5), ("order", "1"), ("order", 1.5), ("order", True), ("order", 10**30),
        ("variables", []), ("variables", "x"), ("variables", {"a": None}), ("variables", {"a": []}),
        ("variables", {"a": {"value": "x", "secret": "yes"}}), ("description", 5), ("auth", "bearer"),
        ("auth", {"mode": "magic"}), ("auth", {"mode": 5}), ("auth", {"mode": "bearer", "token": 5}),
        ("preRequestScript", {}), ("name", "x" * 2000), ("description", "a\x00b"), ("description", "\ud800"),
    ],
)  # fmt: skip
def test_refused_values_name_the_field_and_write_nothing(refused, field, value):
    text = refused("collections", {"name": "A", field: value})
    assert field.partition(".")[0] in text or "cannot be stored" in text
    assert not Collection.objects.exists()


def test_no_loops(make, refused, operator):
    top = make("collections", name="top")
    middle = make("collections", name="middle", parentId=top["id"])
    leaf = make("collections", name="leaf", parentId=middle["id"])
    for parent in (top, middle, leaf):
        assert "parentId" in refused("collections", {"id": top["id"], "parentId": parent["id"]})
    assert "parentId" in refused("collections", {"id": "new", "name": "new", "parentId": "new"})
    moved = make("collections", id=leaf["id"], parentId=top["id"])
    assert moved["parentId"] == top["id"]
    assert make("collections", id=leaf["id"], parentId=None)["parentId"] is None
    assert operator.get(f"{BASE}/collections").json()[0]["parentId"] is None


def test_deletion_takes_everything_below(make, operator):
    kept = make("collections", name="kept")
    top = make("collections", name="top")
    middle = make("collections", name="middle", parentId=top["id"])
    leaf = make("collections", name="leaf", parentId=middle["id"])
    for parent in (kept, top, middle, leaf):
        make("requests", collectionId=parent["id"], name="r", method="GET", url="http://a.test")
    answer = operator.delete(f"{BASE}/collections/{top['id']}")
    assert (answer.status_code, answer.json()) == (
        200, {"message": "Collection deleted successfully", "id": top["id"]},
    )  # fmt: skip
    assert [row["id"] for row in operator.get(f"{BASE}/collections").json()] == [kept["id"]]
    assert SavedRequest.objects.get().collection_id == kept["id"]
    again = operator.delete(f"{BASE}/collections/{top['id']}")
    assert (again.status_code, again.json()) == (404, {"error": "Collection not found"})


def test_a_deep_tree_is_walked_without_trouble(operator, make):
    rows = [Collection(id=f"c{n}", name="c", parent_id=f"c{n - 1}" if n else None) for n in range(1500)]
    Collection.objects.bulk_create(rows)
    assert operator.post(f"{BASE}/collections", {"id": "c0", "parentId": "c1499"}).status_code == 400
    assert operator.delete(f"{BASE}/collections/c0").status_code == 200
    assert not Collection.objects.exists()
