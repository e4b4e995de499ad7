"""The agent's life: ask for runs as long as there is a free place, beat, hand in logs, end in order."""

import logging
import threading
import time
from collections.abc import Callable

from config.client import ClientError
from monitors.remote.server import Refused, Server
from monitors.remote.work import Work
from monitors.runs.slots import Slots
from monitors.tools import registry
from monitors.tools.workspace import sweep

log = logging.getLogger(__name__)
ASK_S = 1.0
LOG_S = 1.0
BEAT_S, BEAT_WHILE_BUSY_S = 15.0, 5.0
LONGEST_PAUSE_S = 30.0
END_S = 10.0


class Agent:
    """One agent in this process. `connect` makes a connection to the server, one for each thread."""

    def __init__(self, connect: Callable[[], Server], *, capacity: int, stop: threading.Event) -> None:
        self._connect, self._capacity, self._stop = connect, capacity, stop
        self._slots = Slots(lambda: capacity)
        self._works: dict[str, Work] = {}
        self._began = time.monotonic()
        self._fault: Exception | None = None

    def run(self) -> None:
        """Until `stop` is set. Raises Refused when the server does not know the token (any more), and own faults."""
        sweep()
        listed = ", ".join(f"{name} {version}" for name, version in registry.versions().items())
        log.info("makes %d runs at once with: %s", self._capacity, listed or "no tool at all")
        pump = threading.Thread(target=self._guarded, args=(self._pump,), name="agent-pump", daemon=True)
        pump.start()
        self._guarded(self._ask)
        for work in list(self._works.values()):
            work.stop("stopping")
        end = time.monotonic() + END_S
        while self._works and self._fault is None and time.monotonic() < end:
            time.sleep(0.05)
        if self._fault:
            raise self._fault

    def _guarded(self, part: Callable[[Server], None]) -> None:
        try:
            part(self._connect())
        except Exception as fault:  # noqa: BLE001 - raised where the program ends
            self._give_up(fault)

    def _give_up(self, fault: Exception) -> None:
        self._fault = self._fault or fault
        for work in list(self._works.values()):
            work.stop("lost")
        self._stop.set()

    # --- asking for runs ---------------------------------------------------------------------------------------
    def _ask(self, server: Server) -> None:
        pause = ASK_S
        while not self._stop.is_set():
            slot = self._slots.take()
            if slot is None:
                self._stop.wait(0.1)
                continue
            began = False
            try:
                told = server.claim()
                pause = ASK_S
                if told is not None:
                    began = self._begin(told, slot)
            except ClientError as error:
                pause = min(LONGEST_PAUSE_S, pause * 2)
                log.warning("no run can be asked for, next try in %.0f s: %s", pause, error)
            finally:
                if not began:
                    self._slots.give(slot)
            if not began:
                self._stop.wait(pause)

    def _begin(self, told: dict, slot: int) -> bool:
        work = Work(told, slot=slot)
        self._works[work.run_id] = work
        threading.Thread(target=self._make, args=(work, slot), name=f"run-{slot}", daemon=True).start()
        return True

    def _make(self, work: Work, slot: int) -> None:
        try:
            work.make(self._connect())
        except Refused as refusal:
            self._give_up(refusal)
        finally:
            self._works.pop(work.run_id, None)
            self._slots.give(slot)

    # --- beats and logs ----------------------------------------------------------------------------------------
    def _pump(self, server: Server) -> None:
        beat_at = 0.0
        while not self._stop.is_set() or self._works:
            works = list(self._works.values())
            try:
                if time.monotonic() >= beat_at:
                    beat_at = time.monotonic() + BEAT_WHILE_BUSY_S  # also when this one fails, or a log after it
                    self._beat(server, works)
                    if not works:
                        beat_at = time.monotonic() + BEAT_S
                for work in works:
                    work.send_log(server)
            except ClientError as error:
                log.warning("the server was not told: %s", error)
            time.sleep(LOG_S)

    def _beat(self, server: Server, works: list[Work]) -> None:
        making = [work.run_id for work in works]
        stops = server.beat(
            making=making, tools=registry.versions(), capacity=self._capacity, uptime_s=time.monotonic() - self._began
        )
        for work in works:
            work.heard()
            if work.run_id in stops:
                work.stop("cancelled")
