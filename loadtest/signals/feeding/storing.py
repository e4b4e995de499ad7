"""Hands what a scenario sent to the platform to the writers of metrics, samples and logs."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.api.errors import ApiError
from fleet.collectors import services as collectors
from fleet.collectors.curves import Curve
from fleet.collectors.models import Kind
from fleet.collectors.refusals import Refused
from fleet.logs.entries import Entry, entry
from fleet.logs.models import Level, Source
from fleet.metrics.services import Beat, accept
from loadtest.signals.feeding.figures import sample_of
from loadtest.signals.runner.wire import Line, Parcel, Points

SOURCE = "signals"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_MESSAGE = 10_000
GROWING = ("_bucket", "_count", "_sum")
LEVELS = {
    "trace": Level.DEBUG, "debug": Level.DEBUG, "info": Level.INFO, "warn": Level.WARN, "error": Level.ERROR,
    "fatal": Level.ERROR,
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Where the data of a scenario goes. Samples go to synthetic machines only: on a real one they would lie."""

    scenario_id: str
    instance_id: str
    is_virtual: bool
    metric_type: str


class Store:
    """`put` returns at once; `answers` then brings the scenario's id with what went wrong, None when all is stored."""

    def __init__(self) -> None:
        self.answers: queue.Queue[tuple[str, str | None]] = queue.Queue()

    def put(self, target: Target, parcel: Parcel, *, now: datetime) -> None:
        refused = Refused()
        try:
            waits = stored(target, parcel, refused, now)
        except ApiError as error:
            self.answers.put((target.scenario_id, error.message))
            return
        _Together(target.scenario_id, waits, refused, self.answers.put)


class _Together:
    """Answers once the last of several futures is done."""

    def __init__(
        self, scenario_id: str, waits: list[Future], refused: Refused, answer: Callable[[tuple[str, str | None]], None]
    ) -> None:
        self._id, self._refused, self._answer = scenario_id, refused, answer
        self._waits, self._left, self._lock = waits, len(waits), threading.Lock()
        for one in waits:
            one.add_done_callback(self._done)

    def _done(self, _: Future) -> None:
        """Called from the threads of several writers."""
        with self._lock:
            self._left -= 1
            if self._left:
                return
        faults = [str(error) for one in self._waits if (error := one.exception())]
        text = f"the platform refused {self._refused.text}" if self._refused.total else None
        self._answer((self._id, faults[0] if faults else text))


def stored(target: Target, parcel: Parcel, refused: Refused, now: datetime) -> list[Future]:
    """Hand a parcel to the writers; the futures are done when all of it is committed. Raises ApiError."""
    waits = []
    if parcel.curves:
        waits.append(collectors.store_curves([_curve(target, one) for one in parcel.curves], refused, now=now))
    for start in range(0, len(parcel.lines), collectors.MOST_LINES):
        lines = parcel.lines[start : start + collectors.MOST_LINES]
        waits.append(collectors.store_entries([_entry(target, one) for one in lines]))
    if target.is_virtual:
        newest = {one.name: one.points[-1][1] for one in parcel.curves}
        waits.append(accept([Beat(instance_id=target.instance_id, at=now, sample=sample_of(newest))], now=now))
    return waits


def _curve(target: Target, one: Points) -> Curve:
    """Labels tell whose it is; a label of that name that the scenario has gives way."""
    labels = one.labels | {"source": SOURCE, "scenario": target.scenario_id}
    grows = target.metric_type == "counter" or (
        target.metric_type in ("histogram", "summary") and one.name.endswith(GROWING)
    )
    return Curve(
        instance_id=target.instance_id,
        name=one.name,
        labels=labels,
        kind=Kind.COUNTER if grows else Kind.GAUGE,
        points=list(one.points),
    )


def _entry(target: Target, one: Line) -> Entry:
    facts = {"source": SOURCE, "scenario": target.scenario_id, "severity": one.severity}
    more = {name: dict(value) for name, value in (("labels", one.labels), ("fields", one.fields)) if value}
    return entry(
        EPOCH + timedelta(microseconds=one.at_ns // 1000),
        instance_id=target.instance_id,
        level=LEVELS.get(one.severity, Level.INFO),
        source=Source.APP,
        message=one.message.replace("\x00", "")[:LONGEST_MESSAGE],
        metadata=facts | more,
    )
