"""Send, copy as curl and import: what the workspace does besides keeping requests."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from loadtest.runs.models import Run
from loadtest.workspace.models import Collection, Environment, SavedRequest
from loadtest.workspace.ui.answers import pretty, timing_parts
from tests.loadtest.pages.conftest import text

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def form(local_server: Any) -> dict[str, Any]:
    local_server.answer("/items", status=201, body=b'{"items":[1]}', headers={"Content-Type": "application/json"})
    return {
        "method": "GET",
        "url": f"{local_server.url}/items",
        "post_script": """
            pm.test("made", () => pm.response.to.have.status(201));
            pm.test("no", () => pm.expect(1).to.equal(2));
            console.log("seen");""",
    }


def test_an_answer_shows_all_its_parts(browser: Any, form: dict[str, Any]) -> None:
    page = text(browser("OPERATOR").post("/loadtest/send/", form, headers=HTMX))
    assert "201 Created" in page and "&quot;items&quot;: [" in page and "First byte" in page
    assert "1 of 2 tests passed" in page and "made" in page and "seen" in page
    assert "GET /items HTTP/1.1" in page and "Skip to content" not in page
    assert Run.objects.get().kind == "design"


def test_sending_works_without_scripts(browser: Any, form: dict[str, Any]) -> None:
    answer = browser("OPERATOR").post("/loadtest/send/", form | {"name": "Typed"})
    assert "201 Created" in text(answer) and "Skip to content" in text(answer)
    assert form["url"] in answer.content.decode() and 'value="Typed"' in answer.content.decode()


def test_the_variables_of_the_environment_are_sent(
    browser: Any, form: dict[str, Any], local_server: Any, environment: Environment
) -> None:
    fields = form | {
        "environment": "env_1",
        "header-key": ["X-Token"],
        "header-value": ["{{token}}"],
        "header-on": ["0"],
    }
    browser("OPERATOR").post("/loadtest/send/", fields, headers=HTMX)
    assert local_server.requests[-1].headers["x-token"] == "lion-43"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/", "CONNECTION_FAILED"),
        ("ftp://x/", "INVALID_URL"),
        ("", "Missing"),
    ],
)
def test_what_goes_wrong_is_told_in_place_of_the_answer(browser: Any, url: str, said: str) -> None:
    answer = browser("OPERATOR").post("/loadtest/send/", {"method": "GET", "url": url}, headers=HTMX)
    assert answer.status_code == 200 and said in text(answer)


def test_a_request_is_copied_as_curl_without_its_secrets(browser: Any, environment: Environment) -> None:
    typed = {
        "method": "POST",
        "url": "{{host}}/x",
        "environment": "env_1",
        "body_mode": "json",
        "body_text": "{}",
        "auth_mode": "bearer",
        "auth_bearer_token": "tiger-46",
    }
    page = browser("OPERATOR").post("/loadtest/curl/", typed, headers=HTMX).content.decode()
    assert "curl" in page and "http://127.0.0.1:9/x" in page and "tiger-46" not in page


OPENAPI = {
    "openapi": "3.0.0",
    "info": {"title": "Store", "version": "1"},
    "servers": [{"url": "http://127.0.0.1:9"}],
    "paths": {"/items": {"get": {"summary": "List"}, "post": {"summary": "Make"}}},
}


def test_a_document_is_looked_at_and_then_imported(browser: Any) -> None:
    operator = browser("OPERATOR")
    file = SimpleUploadedFile("store.json", json.dumps(OPENAPI).encode())
    look = operator.post("/loadtest/import/", {"file": file, "look": "1"})
    assert "It holds 2 requests" in text(look) and not SavedRequest.objects.exists()
    answer = operator.post("/loadtest/import/", {"content": json.dumps(OPENAPI)}, follow=True)
    assert "Imported 2 requests from Store" in text(answer)
    assert SavedRequest.objects.count() == 2


def test_a_curl_command_goes_into_a_collection(browser: Any, collection: Collection) -> None:
    fields = {"content": "curl -X POST http://127.0.0.1:9/orders -d a=1", "collection": "col_1"}
    browser("OPERATOR").post("/loadtest/import/", fields)
    assert SavedRequest.objects.get().collection_id == "col_1"


@pytest.mark.parametrize(("content", "said"), [("", "Paste a document"), ("{", "not valid JSON"), ("curl", "")])
def test_what_cannot_be_imported_is_said(browser: Any, content: str, said: str) -> None:
    answer = browser("OPERATOR").post("/loadtest/import/", {"content": content})
    assert answer.status_code == 422 and said in text(answer) and not SavedRequest.objects.exists()
    assert browser("VIEWER").get("/loadtest/import/").status_code == 403


def test_bodies_are_made_readable() -> None:
    assert pretty({"body": '{"a":[1]}'}) == '{\n  "a": [\n    1\n  ]\n}'
    assert pretty({"body": "{broken"}) == "{broken"
    assert pretty({"body": "[" * 100_000}) == "[" * 100_000
    assert "as base64" in pretty({"body": "AAA=", "bodyBase64": True, "bodySize": 2})


def test_the_parts_of_the_time_fill_the_bar() -> None:
    parts = timing_parts({"queueWaitMs": 0, "connectMs": 1, "firstByteMs": 3, "downloadMs": 0})
    assert [(part["label"], part["x"], part["width"]) for part in parts] == [
        ("Connecting", "0.0", "250.0"),
        ("First byte", "250.0", "750.0"),
    ]
