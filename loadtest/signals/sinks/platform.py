"""The sink into our own metrics and logs: gathered here, carried by the runner's reports, stored by its host."""

import math

from loadtest.signals.generators.emitter import Batch
from loadtest.signals.runner.wire import Line, Parcel, Points
from loadtest.signals.sinks.accounts import Account

MOST_WAITING = 50_000  # points or lines
MOST_IN_PARCEL = 10_000


class Platform:
    """Holds what the next report takes along; the one after that waits until the host has answered."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._curves: dict[tuple[str, tuple[tuple[str, str], ...]], Points] = {}
        self._lines: list[Line] = []
        self._waiting = 0
        self._under_way = False
        self._closing = False

    @property
    def closed(self) -> bool:
        return self._closing and not self._under_way and not self._waiting

    def write(self, batch: Batch, *, is_log: bool) -> None:
        if self._waiting >= MOST_WAITING:
            self.account.fault("the platform is too slow: too much waits for it, a batch was lost")
            return
        if is_log:
            self._lines += [
                Line(at_ns=one.timestamp_ns, severity=one.severity, message=one.message, labels=dict(one.labels),
                     fields=dict(one.fields))
                for one in batch.records
            ]  # fmt: skip
            self._waiting += len(batch.records)
            return
        for sample in batch.samples:
            if math.isfinite(sample.value):
                key = (sample.name, tuple(sorted(sample.labels.items())))
                curve = self._curves.get(key)
                if curve is None:
                    curve = self._curves[key] = Points(name=sample.name, labels=dict(sample.labels), points=[])
                curve.points.append((sample.timestamp_ns // 1_000_000, sample.value))
                self._waiting += 1

    def take(self) -> Parcel | None:
        """What goes along with a report now."""
        if self._under_way or not self._waiting:
            return None
        self._under_way = True
        lines, self._lines = self._lines[:MOST_IN_PARCEL], self._lines[MOST_IN_PARCEL:]
        curves = list(self._curves.values())
        self._curves = {}
        self._waiting = len(self._lines)
        return Parcel(curves=curves, lines=lines)

    def answered(self, fault: str | None) -> None:
        self._under_way = False
        if fault is None:
            self.account.delivered()
        else:
            self.account.fault(fault)

    def close(self) -> None:
        self._closing = True
