"""The API document tells what the workspace takes and answers."""

import pytest

pytestmark = pytest.mark.django_db


def test_bodies_and_answers_are_described(api):
    document = api("VIEWER").get("/api/schema/loadtest").json()
    paths = {path.rstrip("/").removeprefix("/api/loadtest/"): item for path, item in document["paths"].items()}
    for path in (
        "collections",
        "requests",
        "environments",
        "globals",
        "config",
        "import",
        "import/parse",
        "import/fetch",
    ):
        body = paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert body["properties"], path
    request = paths["requests"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert {"collectionId", "method", "url", "params", "headers", "body", "auth"} <= set(request)
    assert [one["name"] for one in paths["requests"]["get"]["parameters"]] == ["collectionId"]
    answer = paths["environments"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["type"] == "array" and "variables" in answer["items"]["properties"]
    assert "Needs the role ADMIN" in paths["config"]["post"]["description"]
