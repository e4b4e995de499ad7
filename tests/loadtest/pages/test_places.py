"""Collections, environments, globals and the engine's settings as forms."""

from typing import Any

import pytest

from loadtest.workspace import configuration
from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest
from loadtest.workspace.registry import ENTRIES
from tests.loadtest.pages.conftest import text

pytestmark = pytest.mark.django_db

VARIABLES = {
    "variable-was": ["", "", "", ""],
    "variable-key": ["host", "token", "old", ""],
    "variable-value": ["http://127.0.0.1", "lion-99", "x", ""],
    "variable-type": ["string", "string", "number", "string"],
    "variable-on": ["0", "1"],
    "variable-secret": ["1"],
}


def test_an_environment_is_made_changed_and_deleted(browser: Any) -> None:
    operator = browser("OPERATOR")
    operator.post("/loadtest/environments/new/", VARIABLES | {"name": "Staging", "active": "on"})
    row = Environment.objects.get()
    assert row.is_active and row.variables["host"] == {
        "value": "http://127.0.0.1", "enabled": True, "secret": False, "type": "string"
    }  # fmt: skip
    assert row.variables["old"]["enabled"] is False and row.variables["token"]["secret"] is True
    address = f"/loadtest/environments/{row.pk}/"
    page = operator.get(address).content.decode()
    assert "lion-99" not in page and "empty keeps it" in page
    names = {"variable-was": ["host", "token", "old", ""], "variable-key": ["host", "renamed", "", ""]}
    operator.post(address, VARIABLES | names | {"name": "Staging", "variable-value": ["http://there", "", "x", ""]})
    row.refresh_from_db()
    assert set(row.variables) == {"host", "renamed"} and row.variables["host"]["value"] == "http://there"
    assert row.variables["renamed"]["value"] == "lion-99" and row.variables["renamed"]["secret"] is True
    assert "Staging" in text(operator.get("/loadtest/environments/"))
    operator.post(f"{address}delete/")
    assert not Environment.objects.exists()


def test_what_is_wrong_with_an_environment_is_said(browser: Any) -> None:
    answer = browser("OPERATOR").post("/loadtest/environments/new/", VARIABLES | {"name": ""})
    assert answer.status_code == 422 and "Missing required field: name" in text(answer)
    assert "http://127.0.0.1" in answer.content.decode()


def test_the_globals_are_replaced_by_what_is_typed(browser: Any) -> None:
    operator = browser("OPERATOR")
    operator.post("/loadtest/environments/globals/", VARIABLES)
    assert set(Globals.objects.get().variables) == {"host", "token", "old"}
    assert "lion-99" not in operator.get("/loadtest/environments/globals/").content.decode()
    assert browser("VIEWER").post("/loadtest/environments/globals/", VARIABLES).status_code == 403


def test_a_collection_keeps_its_secret_and_never_lies_below_itself(browser: Any, collection: Collection) -> None:
    child = Collection.objects.create(pk="col_2", name="Checkout", parent=collection)
    operator = browser("OPERATOR")
    page = operator.get("/loadtest/collections/col_1/").content.decode()
    assert "tiger-42" not in page and 'value="col_2"' not in page
    operator.post("/loadtest/collections/col_1/", VARIABLES | {"name": "Store", "auth_mode": "bearer"})
    collection.refresh_from_db()
    assert (collection.name, collection.auth) == ("Store", {"mode": "bearer", "token": "tiger-42"})
    answer = operator.post("/loadtest/collections/col_1/", {"name": "Store", "parent": child.pk})
    assert answer.status_code == 422 and "must not lie below" in text(answer)


def test_a_collection_is_deleted_by_its_name_with_all_below(browser: Any, saved: SavedRequest) -> None:
    operator = browser("OPERATOR")
    assert "1 request" in text(operator.get("/loadtest/collections/col_1/delete/"))
    answer = operator.post("/loadtest/collections/col_1/delete/", {"confirm": "Shopp"})
    assert answer.status_code == 422 and "not its name" in text(answer)
    operator.post("/loadtest/collections/col_1/delete/", {"confirm": "Shop"})
    assert not Collection.objects.exists() and not SavedRequest.objects.exists()


def settings_form(**changes: str) -> dict[str, str]:
    values = {entry.key: configuration.text_of(entry.default) for entry in ENTRIES}
    return {key: value for key, value in (values | changes).items() if value != "false"}


def test_settings_are_for_administrators_and_all_or_nothing(browser: Any) -> None:
    assert browser("OPERATOR").get("/loadtest/settings/").status_code == 403
    admin = browser("ADMIN")
    assert "Live Metrics Tick Interval" in text(admin.get("/loadtest/settings/"))
    answer = admin.post("/loadtest/settings/", settings_form(workers="3", liveTickIntervalMs="5000"))
    assert answer.status_code == 422 and "must be at most 1000 (got" in text(answer)
    assert configuration.value("workers") == next(entry.default for entry in ENTRIES if entry.key == "workers")
    assert admin.post("/loadtest/settings/", settings_form(workers="3", scriptEnableConsole="false")).status_code == 302
    assert (configuration.value("workers"), configuration.value("scriptEnableConsole")) == (3, False)
