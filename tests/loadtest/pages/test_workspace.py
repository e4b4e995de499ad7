"""The workspace: what it shows, to whom, and how its forms work without scripts."""

from typing import Any

import pytest
from django.test import Client

from loadtest.workspace.models import Collection, Environment, SavedRequest
from tests.loadtest.pages.conftest import text

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Make order",
    "collectionId": "col_1",
    "method": "POST",
    "url": "http://127.0.0.1:9/orders",
    "header-key": ["Accept", "X-Old", ""],
    "header-value": ["text/plain", "1", ""],
    "header-on": ["0"],
    "body_mode": "json",
    "body_text": '{"id":\r\n1}',
    "auth_mode": "basic",
    "auth_basic_username": "someone",
    "auth_basic_password": "tiger-44",
    "follow_redirects": "on",
    "timeout": "1500",
}


def test_an_empty_workspace_says_what_to_do_first(browser: Any) -> None:
    page = text(browser("OPERATOR").get("/loadtest/"))
    assert "Requests are kept in collections" in page and "Send the request to see its answer here" in page


def test_variables_are_told_and_secrets_are_not(
    browser: Any, saved: SavedRequest, environment: Environment, collection: Collection
) -> None:
    SavedRequest.objects.filter(pk=saved.pk).update(headers={"X-Token": "{{token}}"})
    answer = browser("OPERATOR").get("/loadtest/?request=req_1&environment=env_1")
    page = text(answer)
    assert "host = http://127.0.0.1:9 Staging" in page and "path = /items Shop" in page
    assert "nowhere is not defined" in page and "token = secret" in page
    assert "lion-43" not in answer.content.decode() and "tiger-42" not in answer.content.decode()


def test_who_only_reads_sees_a_form_that_is_switched_off(browser: Any, saved: SavedRequest) -> None:
    viewer = browser("VIEWER")
    page = viewer.get("/loadtest/?request=req_1").content.decode()
    assert '<fieldset class="plain" disabled>' in page and "data-send" not in page and "ui:load" not in page
    for path in ("send/", "requests/save/", "curl/", "load/start/", "load/plan/"):
        assert viewer.post(f"/loadtest/{path}", FORM).status_code == 403, path
    for path in ("load/?request=req_1", "requests/req_1/delete/", "collections/new/", "collections/col_1/delete/"):
        assert viewer.get(f"/loadtest/{path}").status_code == 403, path
    assert viewer.post("/loadtest/collections/col_1/", {"name": "Mine"}).status_code == 403
    assert viewer.get("/loadtest/collections/col_1/").status_code == 200


def test_nobody_gets_in_without_a_session(client: Client) -> None:
    assert "/login/" in client.get("/loadtest/")["Location"]


def test_a_request_is_saved_as_typed(browser: Any, collection: Collection) -> None:
    answer = browser("OPERATOR").post("/loadtest/requests/save/", FORM)
    row = SavedRequest.objects.get()
    assert answer.status_code == 302 and f"request={row.pk}" in answer["Location"]
    assert (row.name, row.method, row.url, row.timeout_ms) == ("Make order", "POST", FORM["url"], 1500)
    assert row.headers == [
        {"key": "Accept", "value": "text/plain", "enabled": True},
        {"key": "X-Old", "value": "1", "enabled": False},
    ]
    assert row.body == {"mode": "json", "content": '{"id":\n1}'}
    assert row.auth == {"mode": "basic", "username": "someone", "password": "tiger-44"}
    assert (row.follow_redirects, row.verify_ssl) == (True, False)


def test_a_stored_secret_is_kept_when_its_field_stays_empty(browser: Any, collection: Collection) -> None:
    operator = browser("OPERATOR")
    operator.post("/loadtest/requests/save/", FORM)
    row = SavedRequest.objects.get()
    page = operator.get(f"/loadtest/?request={row.pk}").content.decode()
    assert "tiger-44" not in page and "Leave it empty to keep it" in page
    operator.post("/loadtest/requests/save/", FORM | {"id": row.pk, "name": "Renamed", "auth_basic_password": ""})
    row.refresh_from_db()
    assert row.name == "Renamed" and row.auth["password"] == "tiger-44"


def test_saving_makes_the_collection_that_is_missing(browser: Any) -> None:
    operator = browser("OPERATOR")
    operator.post("/loadtest/requests/save/", FORM | {"collectionId": "", "new_collection": "Orders"})
    assert SavedRequest.objects.get().collection.name == "Orders"


def test_a_refused_save_keeps_what_was_typed_and_leaves_nothing(browser: Any) -> None:
    answer = browser("OPERATOR").post("/loadtest/requests/save/", FORM | {"name": "", "collectionId": ""})
    assert answer.status_code == 422 and "Missing required field: name" in text(answer)
    assert FORM["url"] in answer.content.decode()
    assert not SavedRequest.objects.exists() and not Collection.objects.exists()


def test_saving_with_a_script_renews_the_tree_and_the_address(browser: Any, collection: Collection) -> None:
    answer = browser("OPERATOR").post("/loadtest/requests/save/", FORM, headers={"HX-Request": "true"})
    row = SavedRequest.objects.get()
    assert answer["HX-Push-Url"] == f"/loadtest/?request={row.pk}"
    page = answer.content.decode()
    assert f'value="{row.pk}" hx-swap-oob="true"' in page and '<nav id="tree"' in page and "Make order" in page


def test_a_request_is_deleted_after_asking(browser: Any, saved: SavedRequest) -> None:
    operator = browser("OPERATOR")
    assert "Delete List items?" in text(operator.get("/loadtest/requests/req_1/delete/"))
    assert operator.post("/loadtest/requests/req_1/delete/")["Location"] == "/loadtest/?collection=col_1"
    assert not SavedRequest.objects.exists()


def test_a_large_workspace_is_shown_by_collections(browser: Any, collection: Collection) -> None:
    other = Collection.objects.create(pk="col_2", name="Other", parent=collection)
    SavedRequest.objects.bulk_create(
        SavedRequest(pk=f"req_{n}", order=n, collection=other, name=f"Request {n}", method="GET", url="http://x")
        for n in range(250)
    )
    viewer = browser()
    page = text(viewer.get("/loadtest/"))
    assert "Request 7 " not in page and "Show 250 requests of Other" in page
    page = text(viewer.get("/loadtest/?collection=col_2"))
    assert "Request 7 " in page and "50 more: find them by name" in page
    found = text(viewer.get("/loadtest/?q=Request+249"))
    assert "Request 249" in found and "Request 248" not in found


def test_collections_lie_in_one_another_as_deep_as_they_like(browser: Any, collection: Collection) -> None:
    parent = collection
    for n in range(40):
        parent = Collection.objects.create(pk=f"deep_{n}", name=f"Level {n}", parent=parent)
    SavedRequest.objects.create(pk="req_9", collection=parent, name="Deep down", method="GET", url="http://x")
    page = text(browser().get("/loadtest/?request=req_9"))
    assert "Level 39" in page and "Deep down" in page


@pytest.mark.parametrize("address", ["request=nothing", "request=%00", "collection=%00", "environment=%00", "q=%00"])
def test_what_is_not_there_is_no_fault(browser: Any, address: str) -> None:
    assert browser().get(f"/loadtest/?{address}").status_code in (200, 404)


def test_queries_do_not_grow_with_what_is_saved(
    browser: Any, saved: SavedRequest, environment: Environment, django_assert_max_num_queries: Any
) -> None:
    children = [Collection(pk=f"c{n}", name=f"C {n}", parent_id="col_1") for n in range(30)]
    Collection.objects.bulk_create(children)
    SavedRequest.objects.bulk_create(
        SavedRequest(pk=f"r{n}", collection=children[n], name=f"R {n}", method="GET", url="http://x") for n in range(30)
    )
    operator = browser("OPERATOR")
    operator.get("/loadtest/")
    with django_assert_max_num_queries(16):
        operator.get("/loadtest/?request=req_1&environment=env_1")
