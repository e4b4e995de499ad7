"""All scenarios of a runner on one clock: who is due is visited, about once a second everything new is told."""

import heapq
import queue
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from loadtest.signals.runner.hosted import FINISHED, Hosted
from loadtest.signals.runner.wire import Delivered, Launch, Order, Report, Setup, Start, Stop
from loadtest.signals.scenario.entry import Entry
from loadtest.signals.sinks.accounts import Account
from loadtest.signals.sinks.making import make

if TYPE_CHECKING:
    from config.outbound import Policy

TELL_S = 1.0
SOON_S = 0.1
LONGEST_WAIT_S = 0.5


class Teller(Protocol):
    """Takes reports to the host; not `ready` while the host has not read the last ones."""

    @property
    def ready(self) -> bool: ...

    def tell(self, reports: list[Report]) -> None: ...


class Loop:
    """`orders` brings what the host wants, None when it is gone. While the host does not read, clocks go on."""

    def __init__(self, orders: "queue.Queue[Order | None]", teller: Teller) -> None:
        self._orders, self._teller = orders, teller
        self._setup = Setup(allow=[], deny=[], allow_loopback=False, folder="")
        self._policy: Policy | None = None
        self._hosted: dict[str, Hosted] = {}
        self._places: dict[tuple[str, int], Hosted] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._numbers = count()
        self._tell_at = 0.0

    def run(self) -> None:
        """Until the host is gone."""
        while True:
            now = time.monotonic()
            wait = min(self._heap[0][0] if self._heap else now + LONGEST_WAIT_S, self._tell_at, now + LONGEST_WAIT_S)
            try:
                order = self._orders.get(timeout=max(0.0, wait - now)) if wait > now else self._orders.get_nowait()
            except queue.Empty:
                pass
            else:
                if order is None:
                    return
                self.obey(order)
            self.turn(time.monotonic())

    def obey(self, order: Order) -> None:
        match order:
            case Setup():
                self._setup = order
            case Start():
                self._start(order.launches)
            case Stop():
                for scenario_id in order.ids:
                    self._stop(scenario_id, drop=order.drop)
            case Delivered():
                if hosted := self._hosted.get(order.id):
                    hosted.answered(order.fault)
                    self._push(hosted)

    def _start(self, launches: list[Launch]) -> None:
        now = time.monotonic()
        for launch in launches:
            hosted = self._made(launch, now)
            self._hosted[launch.id] = self._places[launch.batch, launch.place] = hosted
            self._push(hosted)
        self._tell_at = min(self._tell_at, now + SOON_S)

    def _made(self, launch: Launch, now: float) -> Hosted:
        entry, figures = Entry.from_config(launch.config), launch.figures
        account = Account(
            name=entry.name, total=figures.total_sink_failures, last_success_ns=figures.last_successful_write_at
        )
        sink = make(entry.sink, account, policy=self.policy, folder=Path(self._setup.folder))
        upstream = None
        if entry.gate:
            key = (launch.batch, entry.gate.entry)

            def upstream() -> float | None:
                other = self._places.get(key)
                return other.emitter.latest if other else None

        return Hosted(launch, entry, sink, began_at=now - launch.elapsed_s, upstream=upstream)

    def policy(self) -> "Policy":
        if self._policy is None:
            from ipaddress import ip_network

            from config.outbound import Policy

            allow, deny = ([ip_network(text) for text in texts] for texts in (self._setup.allow, self._setup.deny))
            self._policy = Policy(allow=allow, deny=deny, allow_loopback=self._setup.allow_loopback)
        return self._policy

    def _stop(self, scenario_id: str, *, drop: bool) -> None:
        if (hosted := self._hosted.get(scenario_id)) is None:
            return
        hosted.stop()
        if drop:
            self._forget(hosted)
        else:
            self._push(hosted)

    def _forget(self, hosted: Hosted) -> None:
        self._hosted.pop(hosted.id, None)
        for key in [key for key, one in self._places.items() if one is hosted]:
            del self._places[key]

    def _push(self, hosted: Hosted) -> None:
        heapq.heappush(self._heap, (hosted.due, next(self._numbers), hosted.id))

    def turn(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            due, _, scenario_id = heapq.heappop(self._heap)
            hosted = self._hosted.get(scenario_id)
            if hosted is None or hosted.due > due or hosted.state == FINISHED:
                continue  # an entry of before
            try:
                hosted.visit(now)
            except Exception as error:  # noqa: BLE001 - a fault in one scenario must not end the others
                hosted.fail(error)
            if hosted.wants_telling:
                self._tell_at = min(self._tell_at, now + SOON_S)
            if hosted.state != FINISHED:
                self._push(hosted)
        if now >= self._tell_at:
            self._report(now)

    def _report(self, now: float) -> None:
        self._tell_at = now + TELL_S
        if not self._hosted:
            return
        if not self._teller.ready:
            self._tell_at = now + SOON_S
            return
        reports = [hosted.report(now) for hosted in self._hosted.values()]
        self._teller.tell(reports)
        for hosted in [one for one in self._hosted.values() if one.state == FINISHED]:
            self._forget(hosted)
