"""What a request sees of the workspace, and what a script leaves there (contract: load testing §6-8, §9.1)."""

import pytest

from loadtest.composing.variables import substitute
from loadtest.workspace.models import Collection, Environment, Globals
from loadtest.workspace.queries import inherited_auth, scopes_for
from loadtest.workspace.services import write_back
from security.audit.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


@pytest.fixture
def request_id(make):
    """A request in a collection in a collection."""
    root = make("collections", name="root", variables={"a": "root", "b": "root", "d": "root"})
    leaf = make("collections", name="leaf", parentId=root["id"], variables={"a": "leaf", "b": "leaf"})
    make("globals", variables={"a": "global", "b": "global", "c": "global", "d": "global"})
    return make("requests", collectionId=leaf["id"], name="r", method="GET", url="http://a.test")["id"]


def test_environment_then_collections_then_globals(make, request_id):
    environment = make("environments", name="e", variables={"a": "environment"})["id"]
    text = "{{a}} {{b}} {{c}} {{d}} {{e}}"
    assert substitute(text, scopes_for(request_id, environment)) == "environment leaf global root {{e}}"
    assert substitute(text, scopes_for("nobody", "nobody")) == "global global global global {{e}}"
    assert substitute(text, scopes_for(None, None)) == "global global global global {{e}}"


def test_auth_comes_from_the_nearest_collection_that_has_one(make, request_id):
    leaf, root = Collection.objects.get(name="leaf").pk, Collection.objects.get(name="root").pk
    assert inherited_auth(request_id) is None and inherited_auth("nobody") is None
    make("collections", id=root, auth={"mode": "bearer", "token": "root"})
    assert inherited_auth(request_id) == {"mode": "bearer", "token": "root"}
    make("collections", id=leaf, auth={"type": "basic", "username": "u", "password": "p"})
    assert inherited_auth(request_id)["username"] == "u"
    make("collections", id=leaf, auth={"mode": "noauth"})
    assert inherited_auth(request_id) is None
    make("collections", id=leaf, auth={"mode": "inherit"})
    assert inherited_auth(request_id)["token"] == "root"


def test_scripts_write_only_what_they_changed(make, request_id):
    secret = {"value": "old", "enabled": False, "secret": True, "type": "number"}
    environment = make("environments", name="e", variables={"kept": "1", "changed": secret, "gone": "x"})["id"]
    write_back(
        actor=None,
        request_id=request_id,
        environment_id=environment,
        environment={"changed": "5", "gone": None, "new": "n", "never": None},
        collection={"a": "written"},
    )
    assert Environment.objects.get(pk=environment).variables == {
        "kept": {"value": "1", "enabled": True, "secret": False},
        "changed": secret | {"value": "5"},
        "new": {"value": "n", "enabled": True, "secret": False},
    }
    assert Collection.objects.get(name="leaf").variables["a"]["value"] == "written"
    assert Collection.objects.get(name="root").variables["a"]["value"] == "root"
    assert Globals.objects.get().variables["a"]["value"] == "global"
    noted = AuditEntry.objects.filter(metadata__by="script")
    assert {entry.resource for entry in noted} == {"load_environment", "load_collection"}


def test_scopes_that_do_not_exist_are_left_out(request_id):
    write_back(actor=None, request_id="nobody", environment_id="nobody", environment={"a": "1"}, collection={"a": "1"})
    write_back(actor=None, environment={"a": "1"}, collection={"a": "1"}, globals={"a": "new"})
    assert Globals.objects.get().variables["a"]["value"] == "new"
    assert not Environment.objects.exists()
