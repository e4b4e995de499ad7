"""The built-in `http` tool: some requests to one address, judged by expectations (contract: monitors §8.5)."""

import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from config import outbound
from config.version import VERSION
from monitors.monitors.parameters import filled_in
from monitors.tools.base import Control, Job, Outcome
from monitors.tools.samples import Samples

MOST_BYTES = 10 * 1024 * 1024  # read when no `maxBytes` is expected
LOOK_S = 0.1
DEFAULTS = {
    "method": "GET",
    "samples": 5,
    "concurrency": 1,
    "timeoutMs": 10_000,
    "followRedirects": True,
    "verifyTls": True,
}


@dataclass(frozen=True)
class Sample:
    """One request: its time, why it failed (None: it did not), and the answer if there was one.

    `impossible` tells that the request could not be sent at all: the address is refused or malformed.
    """

    ms: float
    fault: str | None
    reply: outbound.Reply | None = None
    impossible: bool = False


class Http:
    name = "http"
    needs_script = False

    def version(self) -> str | None:
        return VERSION

    def measure(self, job: Job, control: Control) -> Outcome:
        request = DEFAULTS | job.request
        began = time.monotonic()
        deadline = began + job.timeout_s
        call = _Call(request, job.parameters, deadline)
        control.note(f"{request['method']} {call.url}, {call.count} samples, {call.concurrency} at once")
        samples, first, ended = Samples(job.apdex_t_ms), None, began
        for sample in _all(call, control, deadline):
            samples.add(sample.ms, sample.fault is None)
            ended = time.monotonic()
            first = first or sample.reply
            said = sample.fault or f"status {sample.reply.status if sample.reply else 'unknown'}"
            control.log(f"sample {samples.count} of {call.count}: {said} in {sample.ms:.1f} ms\n".encode())
            if sample.impossible:
                return Outcome(error=("script_error", sample.fault or ""))
        timed_out = samples.count < call.count
        if not samples.count:
            return Outcome(timed_out=timed_out, error=None if timed_out else ("no_samples", "No request was made."))
        return Outcome(metrics=samples.metrics(ended - began) | _parts(first), timed_out=timed_out)


class _Call:
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


def _all(call: _Call, control: Control, deadline: float) -> Any:
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


def fault_of(reply: outbound.Reply, expect: Mapping[str, Any]) -> str | None:
    """The first expectation that an answer does not meet."""
    if not status_fits(reply.status, expect.get("status")):
        return f"status {reply.status} was not expected"
    wanted = expect.get("bodyContains")
    if wanted and wanted.encode() not in reply.body:
        return "the body does not contain the expected text"
    lines = [f"{name}: {value}".lower() for name, value in reply.headers.items()]
    for text in expect.get("headerContains") or ():
        if not any(text.lower() in line for line in lines):
            return "no header contains the expected text"
    return None


def status_fits(status: int, expected: list[int | str] | None) -> bool:
    """Whether a status is among the expected ones (numbers or classes such as "2xx"); by default 200 to 399."""
    if not expected:
        return 200 <= status < 400
    return status in expected or f"{status // 100}xx" in expected


def _parts(reply: outbound.Reply | None) -> dict[str, Any]:
    """Where the time of the first answer went, and how long its certificate still holds."""
    if reply is None:
        return {}
    days = reply.certificate_days_left(timezone.now())
    return {
        "dnsMs": reply.timings.dns_ms,
        "connectMs": reply.timings.connect_ms,
        "tlsMs": reply.timings.tls_ms,
        "firstByteMs": reply.timings.first_byte_ms,
        "certificateDaysLeft": None if days is None else round(days, 1),
    }
