"""What a run keeps of a request holds no secret, wherever it came from (contract: load testing §6, §8.1)."""

import pytest

from loadtest.runs.models import Run
from tests.loadtest.workspace.conftest import BASE

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


def test_an_inherited_key_and_a_secret_variable_leave_no_trace(make, operator, local_server):
    shop = make(
        "collections", name="Shop", auth={"mode": "apikey", "key": "id", "value": "k3y k3y", "in": "query"},
        variables={"s": {"value": "hush hush", "secret": True}},
    )["id"]  # fmt: skip
    url = f"{local_server.url}/x"
    saved = make("requests", collectionId=shop, name="r", method="POST", url=url)["id"]
    body = {"method": "POST", "url": url, "requestId": saved, "headers": {"X-Any": "{{s}}"}, "body": "say {{s}}"}
    answer = operator.post(f"{BASE}/request", body)
    assert answer.status_code == 200 and answer.json()["statusCode"] == 200
    (sent,) = local_server.requests
    assert sent.path == "/x?id=k3y%20k3y" and sent.headers["x-any"] == "hush hush" and sent.body == b"say hush hush"
    kept = str(Run.objects.values())
    for secret in ("k3y k3y", "k3y%20k3y", "hush hush"):
        assert secret not in kept
