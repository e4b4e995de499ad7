"""What a runner reports becomes rows: a few statements for all of its scenarios, about once a second."""

from collections import defaultdict, deque
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

import msgspec
from django.db import transaction

from config import timeseries
from config.timeseries import Table
from loadtest.signals.runner.hosted import BUFFERED, FINISHED
from loadtest.signals.runner.wire import Report
from loadtest.signals.running import state
from loadtest.signals.running.models import Chunk, Scenario, Snapshot

FIGURES = Table("signals_scenario", {"id": "text", "figures": "json"}, key=("id",))


class Recorder:
    """The writer of one runner's rows. It remembers what it wrote, so that nothing is written twice."""

    def __init__(self, runner: str) -> None:
        self._runner = runner
        self._figures: dict[str, dict[str, Any]] = {}
        self._states: dict[str, str] = {}
        self._chunks: dict[str, deque[tuple[int, int]]] = defaultdict(deque)  # (id, count), oldest first
        self._latest: dict[str, tuple[str, str]] = {}

    def store(self, reports: list[Report], *, now: datetime) -> list[str]:
        """Write all of it in one transaction; the ids of the scenarios that are over now.

        A scenario that this runner has no more, since it was deleted or given to another, is passed over.
        """
        with transaction.atomic():
            there = set(state.mine(self._runner).select_for_update().values_list("pk", flat=True))
            known = [report for report in reports if report.id in there]
            self._store_figures(known)
            self._store_states(known, now)
            self._store_lines(known)
            self._store_snapshots(known, now)
            over = [report.id for report in known if report.state == FINISHED]
            if over:
                state.finish(Scenario.objects.filter(pk__in=over, runner=self._runner), now=now)
            transaction.on_commit(partial(state.announce, [report.id for report in known]))
        for gone in {report.id for report in reports} - (there - set(over)):
            self.forget(gone)
        return over

    def adopt(self, scenario_ids: list[str]) -> None:
        """Know the chunks that another runner left of these scenarios."""
        left = Chunk.objects.filter(scenario__in=scenario_ids).order_by("pk")
        for pk, scenario_id, count in left.values_list("pk", "scenario_id", "count"):
            self._chunks[scenario_id].append((pk, count))

    def forget(self, scenario_id: str) -> None:
        for kept in (self._figures, self._states, self._chunks, self._latest):
            kept.pop(scenario_id, None)

    def _store_figures(self, reports: list[Report]) -> None:
        changed = []
        for report in reports:
            figures = msgspec.to_builtins(report.figures)
            if self._figures.get(report.id) != figures:
                self._figures[report.id] = figures
                changed.append((report.id, figures))
        timeseries.update(FIGURES, changed)

    def _store_states(self, reports: list[Report], now: datetime) -> None:
        moved = [one for one in reports if one.state != FINISHED and self._states.get(one.id) != one.state]
        moved.sort(key=lambda report: report.state)
        for word, group in groupby(moved, key=lambda report: report.state):
            ids = [report.id for report in group]
            state.set_state(ids, word, runner=self._runner, now=now)
            self._states |= dict.fromkeys(ids, word)

    def _store_lines(self, reports: list[Report]) -> None:
        """New chunks, and without those that are older than the newest 1000 lines."""
        told = [report for report in reports if report.lines]
        rows = Chunk.objects.bulk_create(
            [Chunk(scenario_id=one.id, lines="\n".join(one.lines), count=len(one.lines)) for one in told]
        )
        surplus: list[int] = []
        for row in rows:
            kept = self._chunks[row.scenario_id]
            kept.append((row.pk, row.count))
            total = sum(count for _, count in kept)
            while total - kept[0][1] >= BUFFERED:
                pk, count = kept.popleft()
                surplus.append(pk)
                total -= count
        if surplus:
            Chunk.objects.filter(pk__in=surplus).delete()

    def _store_snapshots(self, reports: list[Report], now: datetime) -> None:
        rows = []
        for report in reports:
            if report.series is None and report.tail is None:
                continue
            series, tail = self._latest.get(report.id, ("", ""))
            if report.series is not None:
                series = msgspec.json.encode(report.series).decode()
            if report.tail is not None:
                tail = report.tail.replace("\x00", "")
            self._latest[report.id] = (series, tail)
            rows.append(Snapshot(scenario_id=report.id, series=series, tail=tail, at=now))
        Snapshot.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["scenario"], update_fields=["series", "tail", "at"]
        )
