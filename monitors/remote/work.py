"""One run on an agent: the tool measures here, the server is told there."""

import base64
import logging
import threading
import time
from collections import deque
from typing import Any

from config.client import ClientError
from monitors.monitors import parameters
from monitors.remote.server import Refused, Server
from monitors.runs.output import HEAD_BYTES, TAIL_BYTES, Output, Piece
from monitors.tools.base import Job, Outcome, Stopped
from monitors.tools.registry import TOOLS, refusal

log = logging.getLogger(__name__)
LOST_S = 60.0  # without a word with the server; by then it has ended the run
RETRY_S = (0.5, 1, 2, 4, 8)
GONE = (404,)


class Work:
    """The `Control` of a tool. One thread makes the run, another sends its log; both tell each other by events."""

    def __init__(self, told: dict[str, Any], *, slot: int) -> None:
        self.run_id = str(told["runId"])
        self._told, self._slot = told, slot
        self._values = {str(name): str(value) for name, value in (told.get("parameters") or {}).items()}
        hidden = {str(name) for name in told.get("secretParameters") or ()}
        named = {name: value for name, value in self._values.items() if name in hidden or parameters.is_secret(name)}
        self._output = Output(parameters.maskable(named.values()))
        self._unsent: deque[Piece] = deque()
        self._sending = threading.Lock()
        self._why: str | None = None
        self._heard_at = time.monotonic()

    # --- from the other thread ---------------------------------------------------------------------------------
    def heard(self) -> None:
        """The server has just heard of this run."""
        self._heard_at = time.monotonic()

    def stop(self, why: str) -> None:
        """`cancelled`, `stopping` or `lost`; the tool ends at its next look."""
        self._why = self._why or why

    def send_log(self, server: Server, *, last: bool = False) -> None:
        """Hand in what the tool has said; what cannot be sent now waits, up to a bound."""
        with self._sending:
            self._unsent.extend(self._output.pieces(last=last))
            while sum(len(data) for _, data in self._unsent) > HEAD_BYTES + TAIL_BYTES:
                self._unsent.popleft()
            while self._unsent:
                if not self._take(server, self._unsent[0]):
                    self.stop("cancelled")
                self.heard()
                self._unsent.popleft()

    def _take(self, server: Server, piece: Piece) -> bool:
        """Send one piece; False when the run shall stop, also because the server has it no more."""
        try:
            return server.log(self.run_id, piece)
        except ClientError as error:
            if error.status in GONE:
                return False
            raise

    # --- what the tool calls -----------------------------------------------------------------------------------
    def poll(self) -> None:
        if self._why:
            raise Stopped(self._why)
        if time.monotonic() - self._heard_at > LOST_S:
            raise Stopped("lost")

    def log(self, data: bytes) -> None:
        self._output.write(data)

    def note(self, text: str) -> None:
        self._output.note(text)

    # --- the run -----------------------------------------------------------------------------------------------
    def make(self, server: Server) -> None:
        """Measure and hand in. Raises Refused; all else is told to the server or, when it is away, to our log."""
        try:
            body = self._result(self._measure())
        except Stopped as stop:
            if str(stop) == "lost":
                log.warning("run %s: the server was out of reach for %d s, so it was given up", self.run_id, LOST_S)
                return
            body = self._ended_early(str(stop))
        except Exception:
            log.exception("run %s failed", self.run_id)
            body = self._fault("internal", "The run failed on the agent; its log has it.")
        self._hand_in(server, body)

    def _measure(self) -> Outcome:
        told, name = self._told, str(self._told["tool"])
        if why := refusal(name):
            return Outcome(error=("tool_unavailable", why))
        tool = TOOLS[name]
        job = Job(
            run_id=self.run_id,
            timeout_s=int(told["timeoutSeconds"]),
            slot=self._slot,
            script=told.get("script") or "",
            script_name=told.get("scriptName") or "",
            request=told.get("request") or {},
            parameters=self._values,
            thresholds=told.get("thresholds") or {},
        )
        self.note(f"run {self.run_id} with {tool.name} {tool.version() or ''}".rstrip())
        return tool.measure(job, self)

    def _result(self, outcome: Outcome) -> dict[str, Any]:
        if outcome.error:
            self.note(f"error: {outcome.error[1]}")
        shot = base64.b64encode(outcome.screenshot).decode() if outcome.screenshot else None
        return {
            "exitCode": outcome.exit_code,
            "timedOut": outcome.timed_out,
            "result": outcome.metrics,
            "breaches": outcome.breaches,
            "screenshot": shot,
        } | (self._fault(*outcome.error) if outcome.error else {})

    def _ended_early(self, why: str) -> dict[str, Any]:
        self.note(why)
        if why == "cancelled":
            return {"cancelled": True}
        return self._fault("worker_lost", "The agent was stopped during this run.")

    def _fault(self, code: str, sentence: str) -> dict[str, Any]:
        return {"error": {"code": code, "message": self._output.masked(sentence)[:2000]}}

    def _hand_in(self, server: Server, body: dict[str, Any]) -> None:
        """Until the server has it, or has ended the run by itself."""
        pauses = iter(RETRY_S)
        while True:
            try:
                self.send_log(server, last=True)
                server.complete(self.run_id, body)
                return
            except Refused:
                raise
            except ClientError as error:
                if error.status in GONE or time.monotonic() - self._heard_at > LOST_S:
                    log.warning("run %s is over for the server: %s", self.run_id, error)
                    return
                if error.status == 400 and "result" in body:
                    log.error("run %s: the server refuses the result: %s", self.run_id, error)
                    body = self._fault("bad_result", f"The server refuses the result: {error}")
                    continue
                time.sleep(next(pauses, RETRY_S[-1]))
