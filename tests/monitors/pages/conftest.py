"""What tests of the pages share."""

import re
from typing import Any

import pytest

FORM = {
    "name": "Front page",
    "url": "http://127.0.0.1:9/",
    "method": "GET",
    "samples": "2",
    "concurrency": "1",
    "timeout_ms": "1000",
    "follow_redirects": "on",
    "schedule": "*/5 * * * *",
    "time_zone": "UTC",
    "enabled": "on",
    "alert_after": "1",
    "recover_after": "1",
}


def text(answer: Any) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of trials that were sent to the workers, instead of sending them."""
    from monitors.trials.tasks import execute

    ids: list[str] = []
    monkeypatch.setattr(execute, "apply_async", lambda args, **options: ids.append(args[0]))
    return ids
