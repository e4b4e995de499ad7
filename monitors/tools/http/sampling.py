"""Making the requests of one run: parameters filled in, some at once, never beyond the run's time."""

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from config import outbound
from monitors.monitors.parameters import filled_in
from monitors.tools.base import Control
from monitors.tools.http.expectations import fault_of

MOST_BYTES = 10 * 1024 * 1024  # read when no `maxBytes` is expected
LOOK_S = 0.1


@dataclass(frozen=True)
class Sample:
    """One request: its time, why it failed (None: it did not), and the answer if there was one.

    `impossible` tells that the request could not be sent at all: the address is refused or malformed.
    """

    ms: float
    fault: str | None
    reply: outbound.Reply | None = None
    impossible: bool = False


class Call:
    """The request with its parameters filled in; calling it makes one sample."""

    def __init__(self, request: Mapping[str, Any], values: Mapping[str, str], deadline: float) -> None:
        self.count, self.concurrency = int(request["samples"]), int(request["concurrency"])
        self._request, self._deadline = request, deadline
        self.url = filled_in(request["url"], values)
        self._headers = {name: filled_in(text, values) for name, text in (request.get("headers") or {}).items()}
        self._body = filled_in(request["body"], values) if request.get("body") else None
        self._expect = request.get("expect") or {}
        self._policy = outbound.default_policy(deny=settings.MONITOR_TARGET_DENY)

    def __call__(self) -> Sample:
        began = time.monotonic()
        try:
            reply = outbound.request(
                self._request["method"],
                self.url,
                headers=self._headers,
                body=self._body,
                timeout_s=max(0.001, min(self._request["timeoutMs"] / 1000, self._deadline - began)),
                max_bytes=self._expect.get("maxBytes", MOST_BYTES),
                follow_redirects=self._request["followRedirects"],
                verify_tls=self._request["verifyTls"],
                policy=self._policy,
            )
        except outbound.OutboundError as error:
            impossible = isinstance(error, outbound.BadRequest | outbound.Refused)
            return Sample((time.monotonic() - began) * 1000, str(error), impossible=impossible)
        return Sample(reply.timings.total_ms, fault_of(reply, self._expect), reply)


def all_of(call: Call, control: Control, deadline: float) -> Iterator[Sample]:
    """Samples as they come, until all are there or the time is over.

    Daemon threads: a request that still hangs when the run is cancelled ends by its own time limit and keeps
    nobody waiting.
    """
    results: queue.SimpleQueue[Sample | BaseException] = queue.SimpleQueue()
    left = iter(range(call.count))
    lock, over = threading.Lock(), threading.Event()

    def work() -> None:
        while not over.is_set():
            with lock:
                if next(left, None) is None:
                    return
            try:
                results.put(call())
            except BaseException as error:  # noqa: BLE001 - carried to the thread of the run and raised there
                results.put(error)

    for _ in range(min(call.concurrency, call.count)):
        threading.Thread(target=work, name="http-sample", daemon=True).start()
    got = 0
    try:
        while got < call.count:
            control.poll()
            try:
                result = results.get(timeout=LOOK_S)
            except queue.Empty:
                if time.monotonic() > deadline:
                    return
                continue
            if isinstance(result, BaseException):
                raise result
            got += 1
            yield result
            if time.monotonic() > deadline:
                return
    finally:
        over.set()
