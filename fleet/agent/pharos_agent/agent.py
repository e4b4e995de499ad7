"""The agent's life: measure for ever, stay connected as well as the network allows."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from typing import Any

from pharos_agent import state
from pharos_agent.backlog import Backlog
from pharos_agent.config import Config
from pharos_agent.following import Following
from pharos_agent.logs import readable
from pharos_agent.outbox import Outbox
from pharos_agent.parts import Parts
from pharos_agent.processes import ProcessTable
from pharos_agent.registration import RegistrationFailed, register
from pharos_agent.sampler import Sampler
from pharos_agent.session import Session
from pharos_agent.threads import in_thread
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

log = logging.getLogger(__name__)

REFUSED = {401, 403}
POLICY_VIOLATION = 1008


class Agent:
    """One agent for one instance."""

    def __init__(self, config: Config, *, keep_on_disk: bool) -> None:
        path = config.state_dir / "samples.jsonl" if config.state_dir and keep_on_disk else None
        self._config = config
        following = Following(config.logs, journal=config.journal, is_connected=lambda: self._connected)
        self._outbox = Outbox(Backlog(path, instance_id=config.instance_id), following)
        self._parts = Parts(config, self._outbox)
        self._registered = False
        self._connected = False
        self._pauses_s = list(config.registration_pauses_s)

    async def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then keep what has not arrived. Raises if a part of the agent breaks."""
        work = (self._measure(), self._stay_connected(), self._outbox.following.run(), self._parts.stocktaking.run())
        parts = [asyncio.ensure_future(part) for part in work]
        stopping = asyncio.ensure_future(in_thread(stop.wait))
        try:
            done, _ = await asyncio.wait([stopping, *parts], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopping, *parts):
                task.cancel()
            self._outbox.backlog.save()
            await self._parts.close()
            await asyncio.gather(stopping, *parts, return_exceptions=True)
            self._outbox.backlog.save()
        for task in done:
            task.result()

    async def _measure(self) -> None:
        config, loop = self._config, asyncio.get_running_loop()
        sampler, table = await in_thread(lambda: (Sampler(), ProcessTable()))
        next_at = loop.time() + min(config.first_sample_s, config.metrics_s)
        while True:
            await asyncio.sleep(max(0.0, next_at - loop.time()))
            try:
                sample, processes = await in_thread(lambda: (sampler.sample(), table.top()))
            except Exception:
                log.exception("this machine could not be measured")
            else:
                self._take(sample, processes)
            # After a sleep of the machine the missed slots are not made up for.
            next_at = max(next_at, loop.time() - config.metrics_s) + config.metrics_s

    def _take(self, sample: dict[str, Any], processes: list[dict[str, Any]] | None) -> None:
        self._outbox.put({"instance_id": self._config.instance_id, **sample}, processes)
        if not self._connected:
            self._outbox.backlog.spill()

    async def _stay_connected(self) -> None:
        config, loop = self._config, asyncio.get_running_loop()
        failures = 0
        while True:
            began_at = loop.time()
            if not self._registered:
                await self._register()
            least_s = await self._converse()
            # A connection that held for a while starts the count anew; one that is cut at once does not.
            failures = 0 if loop.time() - began_at > config.backoff_max_s else failures + 1
            pause_s = max(least_s, config.backoff_min_s * 2 ** min(max(0, failures - 1), 10))
            pause_s = min(config.backoff_max_s, pause_s) * random.uniform(0.5, 1.0)  # noqa: S311
            log.info("next try in %.1f s, %d samples wait", pause_s, len(self._outbox.backlog))
            await asyncio.sleep(pause_s)

    async def _register(self) -> None:
        """Register, with several tries at the start and one before each later connection.

        Failure is not fatal: an instance that the server knows can connect all the same.
        """
        while True:
            try:
                await in_thread(register, self._config)
            except RegistrationFailed as exc:
                log.warning("registration failed: %s", exc)
                if exc.final or not self._pauses_s:
                    self._pauses_s = []
                    return
                await asyncio.sleep(self._pauses_s.pop(0))
            else:
                log.info("registered as %s", self._config.instance_id)
                self._registered, self._pauses_s = True, []
                return

    async def _converse(self) -> float:
        """Hold one connection until it ends; returns the least pause in seconds before the next."""
        session = Session(self._parts, on_open=self._opened)
        try:
            await session.run()
        except InvalidStatus as exc:
            status = exc.response.status_code
            if status not in REFUSED:
                log.warning("the server answered HTTP %d instead of a WebSocket", status)
                return 0.0
            log.error("the server refused the key for %s: HTTP %d", self._config.instance_id, status)
            return self._config.refused_backoff_s
        except ConnectionClosed as exc:
            return self._closed(exc)
        except (OSError, WebSocketException, asyncio.TimeoutError) as exc:
            log.warning("no connection: %s", readable(exc) or type(exc).__name__)
        finally:
            self._connected = False
            self._outbox.backlog.spill()
        return 0.0

    def _opened(self) -> None:
        self._connected = True

    def _closed(self, exc: ConnectionClosed) -> float:
        code, reason = (exc.rcvd.code, exc.rcvd.reason) if exc.rcvd else (None, "")
        if reason.startswith("Replaced"):
            log.error("another agent speaks for %s now: each machine needs its own id", self._config.instance_id)
            return self._config.refused_backoff_s
        if code == POLICY_VIOLATION:
            log.error("the server closed the connection: %s", readable(reason))
            self._registered = False  # the record may have gone: make it again
            return self._config.refused_backoff_s
        log.warning("connection lost: %s", readable(exc))
        return 0.0


def run_agent(config: Config, stop: threading.Event) -> None:
    """Run one agent until `stop` is set; blocks. Raises if a part of it breaks."""
    lock = state.lock(config.state_dir) if config.state_dir else None
    if lock is None:
        log.warning("no state directory for this agent alone: waiting samples are kept in memory only")

    async def life() -> None:
        await Agent(config, keep_on_disk=lock is not None).run(stop)

    try:
        asyncio.run(life())
    finally:
        if lock:
            lock.close()
