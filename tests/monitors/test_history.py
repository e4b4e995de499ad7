"""The pages of a monitor's history, near and deep (contract: monitors §1, §2)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.api import pagination
from monitors.runs import services
from monitors.runs.models import Run, Status

pytestmark = [pytest.mark.django_db, pytest.mark.contract]


def test_deep_pages_show_the_same_as_near_ones(create: Any, operator: Any, sent: list[str], monkeypatch: Any) -> None:
    monitor, now = create(), timezone.now()
    for number in range(12):
        run = services.add(monitor=monitor, trigger="manual", now=now - timedelta(minutes=number // 2))
        services.finish(run=run, status=Status.CANCELLED, now=now)
    path = f"/api/monitors/{monitor.pk}/runs"
    whole = [run["id"] for run in operator.get(path).json()]
    assert whole == [str(key) for key in Run.objects.newest_first().values_list("pk", flat=True)] and len(whole) == 12
    monkeypatch.setattr(pagination, "DEEP", 1)
    for offset in (1, 5, 11, 12, 10**15):
        answer = operator.get(f"{path}?limit=4&offset={offset}&status=cancelled")
        assert [run["id"] for run in answer.json()] == whole[offset : offset + 4]
        assert answer["X-Total-Count"] == "12"
