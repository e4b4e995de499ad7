"""Whatever is sent to the workspace, the answer is no fault of ours, and what is stored can be read again."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.loadtest.workspace.conftest import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.storage]

FIELDS = {
    "collections": ["id", "name", "parentId", "variables", "order", "auth", "description", "preRequestScript"],
    "requests": ["id", "name", "collectionId", "method", "url", "params", "headers", "body", "bodyType", "auth"],
    "environments": ["id", "name", "variables", "isActive", "description"],
    "globals": ["variables"],
    "config": ["entries", "key", "value", "workers", "scriptEnableConsole"],
}  # fmt: skip
WORDS = ["key", "value", "enabled", "secret", "masked", "mode", "type", "fields", "content", "token", "workers", "a"]
TEXTS = st.sampled_from([*WORDS, "", "bearer", "json", "form-data", "GET", "c", "{{a}}", "\x00", "\ud800", "é" * 5])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([2**63, -(2**70), 1e300, 0.5]) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FAST = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def admin(api):
    client = api("ADMIN")
    client.post(f"{BASE}/collections", {"id": "c", "name": "c"})
    return client


@pytest.mark.parametrize("path", FIELDS)
def test_bodies_of_any_shape(admin, path):
    @FAST
    @given(st.dictionaries(st.sampled_from(FIELDS[path]), VALUES, max_size=5))
    def send(body):
        valid = (
            {"name": "n", "collectionId": "c", "method": "GET", "url": "http://a.test"} if path == "requests" else {}
        )
        for sent in (body, valid | body, {"name": "n"} | body if path in ("collections", "environments") else body):
            answer = admin.generic("POST", f"{BASE}/{path}", json.dumps(sent), "application/json")
            assert answer.status_code in (200, 400), (sent, answer.content)
            assert answer.status_code == 200 or answer.json()["error"]

    send()
    for listed in ("collections", "requests?collectionId=c", "environments", "globals", "config"):
        assert admin.get(f"{BASE}/{listed}").status_code == 200


@pytest.mark.parametrize("key", ["\x00", "a\x00b", "é", "x" * 5000, "%", "..", " ", "\ud7ff", "'; drop table x; --"])
def test_ids_of_any_shape(admin, key):
    where = quote(key, safe="")
    for call, path in (
        (admin.get, "requests"), (admin.get, "environments"), (admin.delete, "collections"), (admin.delete, "requests"),
        (admin.delete, "environments"),
    ):  # fmt: skip
        assert call(f"{BASE}/{path}/{where}").status_code in (400, 404)
    assert admin.get(f"{BASE}/requests?collectionId={where}").status_code in (200, 400)
    assert admin.get(f"{BASE}/requests/{where}/curl?environmentId={where}").status_code in (400, 404)


def test_a_body_that_is_too_large(admin, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = admin.post(f"{BASE}/environments", {"name": "x" * 2000})
    assert (answer.status_code, answer.json()) == (413, {"error": "The body is too large"})
