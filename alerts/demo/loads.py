"""The demo load test: a saved request, a pinned baseline and a newer run.

Both are runs that the load engine really made, against a server of ours on this machine; `load_runs.json.xz` holds what
came of them. Only their moments, ids and address are those of the demo.
"""

import json
import lzma
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction

from alerts.demo.names import Names
from loadtest.runs.models import Run, RunTick
from loadtest.workspace.models import Collection, SavedRequest

URL = "https://shop.example/checkout"  # reserved for examples
AGO = (timedelta(hours=26), timedelta(hours=2))  # when the baseline and the newer run began
AROUND_S = 600  # numbers this close to when a run was recorded are moments


@cache
def recorded() -> list[dict[str, Any]]:
    """The two runs: columns, when they began and ended (Unix seconds), and their ticks."""
    with lzma.open(Path(__file__).with_name("load_runs.json.xz"), "rt", encoding="utf-8") as file:
        return json.load(file)


def make(names: Names, now: datetime) -> None:
    """The request and both runs. Run again after a break it makes what is missing."""
    with transaction.atomic():
        shop, _ = Collection.objects.get_or_create(pk=names.collection, defaults={"name": "Demo shop"})
        asked = {"collection": shop, "name": "Checkout", "method": "GET", "url": URL}
        SavedRequest.objects.get_or_create(pk=names.request, defaults=asked)
        for place, (key, told, ago) in enumerate(zip(names.runs, recorded(), AGO, strict=True)):
            if not Run.objects.filter(pk=key).exists():
                _run(key, names.request, told, now - ago, pinned=place == 0)


def _run(key: str, request: str, told: dict[str, Any], began: datetime, *, pinned: bool) -> None:
    later = began.timestamp() - told["began"]
    ids = {"RUN": key, "REQUEST": request}
    columns = moved(told["run"], told["began"], later, ids)
    ended = datetime.fromtimestamp(told["ended"] + later, UTC)
    run = Run.objects.create(
        pk=key, request_id=request, requested_by="demo", started_at=began, ended_at=ended, pinned=pinned, **columns
    )
    ticks = [moved(one, told["began"], later, ids) for one in told["ticks"]]
    RunTick.objects.bulk_create(
        RunTick(run=run, n=n, at=datetime.fromtimestamp(tick["timestamp"] / 1000, UTC), data=json.dumps(tick))
        for n, tick in enumerate(ticks)
    )


def moved(value: Any, recorded_at: float, later_s: float, ids: dict[str, str]) -> Any:
    """The same value with its moments (Unix seconds or milliseconds) later and its ids replaced."""
    if isinstance(value, dict):
        return {name: moved(one, recorded_at, later_s, ids) for name, one in value.items()}
    if isinstance(value, list):
        return [moved(one, recorded_at, later_s, ids) for one in value]
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        for unit in (1, 1000):
            if abs(value / unit - recorded_at) < AROUND_S:
                return type(value)(value + later_s * unit)
    return value
