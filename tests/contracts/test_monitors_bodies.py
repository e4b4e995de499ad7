"""Bodies of `/api/monitors` as clients in other languages write them (contract: monitors §3)."""

from typing import Any

import pytest

from monitors.monitors.models import Monitor
from tests.monitors.conftest import http_monitor

pytestmark = [pytest.mark.django_db, pytest.mark.contract]

MULTIPART = "multipart/form-data; boundary=zz"
FORM = "application/x-www-form-urlencoded"
K6 = {"name": "Plain", "schedule": "@daily", "tool": "k6", "script": "export default () => {}"}


def parts(fields: dict[str, str]) -> str:
    """A multipart body of text parts, as it is on the wire."""
    said = (f'--zz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items())
    return "".join(said) + "--zz--\r\n"


def test_a_script_may_be_a_part_without_the_name_of_a_file(operator: Any) -> None:
    made = operator.post("/api/monitors", parts(K6), MULTIPART)
    assert made.status_code == 201, made.content
    kept = operator.get(f"/api/monitors/{made.json()['id']}/script")
    assert kept.content.decode() == K6["script"]
    both = operator.post("/api/monitors", parts(K6 | {"scriptContent": "eA=="}), MULTIPART)
    assert both.status_code == 400 and "script" in both.json()["details"]


@pytest.mark.parametrize("keep", [2, 60, -8])
def test_a_multipart_body_that_was_cut_off_changes_nothing(operator: Any, create: Any, keep: int) -> None:
    monitor = create(name="Before")
    refused = operator.patch(f"/api/monitors/{monitor.pk}", parts({"name": "After"})[:keep], MULTIPART)
    assert refused.status_code == 400 and refused.json()["error"] == "invalid_request"
    monitor.refresh_from_db()
    assert monitor.name == "Before"


def test_items_of_a_list_may_be_numbered(operator: Any) -> None:
    body = "name=n&schedule=@daily&tool=http&request[url]=http://127.0.0.1/&tags[1]=b&tags[0]=a"
    made = operator.post("/api/monitors", body, FORM)
    assert made.status_code == 201 and made.json()["tags"] == ["a", "b"], made.content
    refused = operator.post("/api/monitors", body + "&tags[x]=c", FORM)
    assert refused.status_code == 400 and "tags" in refused.json()["details"]


@pytest.mark.parametrize("value", ["a\r\nEvil: b", "a\nb", "a\rb"])
def test_a_header_has_one_line(operator: Any, value: str) -> None:
    asked = {"url": "http://127.0.0.1/", "headers": {"X-A": value}}
    refused = operator.post("/api/monitors", http_monitor(request=asked))
    assert refused.status_code == 400 and "request.headers.X-A" in refused.json()["details"], refused.content
    assert not Monitor.objects.exists()
