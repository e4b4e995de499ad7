"""What a run is, and when each of its requests is due. Pure: no clock, no socket."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import Any

from loadtest.engine.dynamic import Template

DAY_S = 86_400
MAX_RPS, MAX_CONCURRENCY, MAX_IN_FLIGHT, MAX_ITERATIONS = 1_000_000, 10_000, 1_000_000, 10**9
MAX_WORKERS = 128


class PlanError(ValueError):
    """A run cannot be made from these values. `field` names the guilty one."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class Mode(StrEnum):
    CONSTANT_RPS = "constant_rps"
    CONSTANT_CONCURRENCY = "constant_concurrency"
    RAMP_UP = "ramp_up"
    ITERATIONS = "iterations"


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which exchanges are kept, besides errors. contract: load testing §10.1."""

    every: int = 100  # one success in so many; 0 keeps none
    slow_ms: int = 1000  # responses that took so long count as slow and are kept; 0 counts none
    responses_every: int = 0  # one response in so many is kept with head and body, for deferred tests; 0 keeps none
    max_responses: int = 1000  # at most so many of them, chosen fairly over the whole run


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What ticks and reports have to know of a run. Holds no secret, and is JSON as `asdict` gives it."""

    mode: Mode
    rate: float = 0.0
    expected: int = 0
    dns_us: int = 0
    every: int = 100
    slow_ms: int = 1000
    responses_every: int = 0


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One run. Times in seconds; contract: load testing §10.

    `addresses` are those the caller resolved and allows, in order of preference: nothing else is connected to. Where
    the name does not resolve, `unresolved` says why, and every request fails with that.
    `requests` are whole HTTP/1.1 requests, sent in turn: bytes, or templates that are drawn anew each time.
    `server_name` is the target's host, for TLS and to tell whether a redirect stays there.
    """

    mode: Mode
    addresses: tuple[tuple[str, int], ...]
    requests: tuple[bytes | Template, ...]
    method: str = "GET"
    tls: bool = False
    server_name: str = ""
    verify: bool = True
    ca_file: str = ""
    rate: float = 0.0
    concurrency: int = 0
    start_concurrency: int = 1
    ramp_s: float = 10.0
    duration_s: float = 60.0
    iterations: int = 0
    max_in_flight: int = 0  # 0: ten times the rate, at least 1,000
    timeout_s: float = 30.0
    max_body_bytes: int = 32 << 20
    max_redirects: int = 0  # so many in a row are followed, to the same scheme, host and port
    sampling: Sampling = field(default_factory=Sampling)
    dns_us: int = 0  # what the caller's look-up took
    unresolved: str = ""

    def __post_init__(self) -> None:
        closed = self.mode != Mode.CONSTANT_RPS
        _check("addresses", bool(self.addresses or self.unresolved), "at least one is needed")
        _check("requests", bool(self.requests) and all(self.requests), "at least one is needed")
        _check("timeout", 0.001 <= self.timeout_s <= DAY_S, "must be between 1 ms and 24 h")
        _check("max_body_bytes", self.max_body_bytes >= 65_536, "must be at least 64 KiB")
        _check("sampling", min(astuple(self.sampling)) >= 0, "numbers must not be negative")
        if self.mode != Mode.ITERATIONS:
            _check("duration", 0 < self.duration_s <= DAY_S, "must be longer than 0 and at most 24 h")
        if closed:
            _check("concurrency", 1 <= self.concurrency <= MAX_CONCURRENCY, f"must be between 1 and {MAX_CONCURRENCY}")
        else:
            _check("rps", 0 < self.rate <= MAX_RPS, f"must be greater than 0 and at most {MAX_RPS}")
            in_flight = self.max_in_flight or min(MAX_IN_FLIGHT, max(int(10 * self.rate), 1000))
            _check("max_in_flight", 1 <= in_flight <= MAX_IN_FLIGHT, f"must be between 1 and {MAX_IN_FLIGHT}")
            object.__setattr__(self, "max_in_flight", in_flight)
        if self.mode == Mode.RAMP_UP:
            in_range = 0 <= self.start_concurrency <= MAX_CONCURRENCY
            _check("start_concurrency", in_range, f"must be between 0 and {MAX_CONCURRENCY}")
            _check("ramp_up", 0 <= self.ramp_s <= DAY_S, "must be between 0 and 24 h")
        if self.mode == Mode.ITERATIONS:
            in_range = 1 <= self.iterations <= MAX_ITERATIONS
            _check("iterations", in_range, f"must be between 1 and {MAX_ITERATIONS}")

    @property
    def expected(self) -> int:
        """How many requests the run is to send; 0 if that depends on the target's speed."""
        if self.mode == Mode.ITERATIONS:
            return self.iterations
        if self.mode == Mode.CONSTANT_RPS:
            return floor(exact(self.rate) * exact(self.duration_s))
        return 0

    @property
    def outline(self) -> "Outline":
        return Outline(
            mode=self.mode,
            rate=self.rate,
            expected=self.expected,
            dns_us=self.dns_us,
            every=self.sampling.every,
            slow_ms=self.sampling.slow_ms,
            responses_every=self.sampling.responses_every,
        )

    def concurrency_at(self, t: float) -> int:
        """How many requests are to be in flight t seconds after the start. contract: load testing §10.4."""
        if self.mode != Mode.RAMP_UP or t >= self.ramp_s:
            return self.concurrency
        return floor(self.start_concurrency + (self.concurrency - self.start_concurrency) * t / self.ramp_s)

    @property
    def useful_parts(self) -> int:
        """The most parts that each have something to do."""
        if self.mode == Mode.CONSTANT_RPS:
            return self.max_in_flight
        return min(self.concurrency, self.iterations) if self.mode == Mode.ITERATIONS else self.concurrency

    def to_json(self) -> str:
        plain = asdict(self) | {"requests": [_written(request) for request in self.requests]}
        return json.dumps(plain)

    @classmethod
    def from_json(cls, text: str) -> "RunSpec":
        plain = json.loads(text)
        plain["mode"] = Mode(plain["mode"])
        plain["addresses"] = tuple((host, port) for host, port in plain["addresses"])
        plain["requests"] = tuple(_read(request) for request in plain["requests"])
        plain["sampling"] = Sampling(**plain["sampling"])
        return cls(**plain)


def _written(request: bytes | Template) -> Any:
    """Bytes as base64; a template as a list of its names, and of its bytes as base64 in a list."""
    if isinstance(request, bytes):
        return b64encode(request).decode()
    return [part if isinstance(part, str) else [b64encode(part).decode()] for part in request]


def _read(written: Any) -> bytes | Template:
    if isinstance(written, str):
        return b64decode(written)
    return tuple(part if isinstance(part, str) else b64decode(part[0]) for part in written)


def _check(name: str, holds: bool, problem: str) -> None:
    if not holds:
        raise PlanError(name, problem)


def exact(number: float) -> Fraction:
    """The number as it is written: 0.29 times 100 is 29, not a little less."""
    return Fraction(repr(number))


@dataclass(frozen=True)
class Share:
    """One worker's part of a run: number `index` of `of`. The parts of all workers add up to the whole, exactly.

    A run may be spread over several supervisors, each with any number of workers: see `worker`.
    """

    spec: RunSpec
    index: int = 0
    of: int = 1

    def worker(self, index: int, of: int) -> "Share":
        """A part of this part. Every of-th of every so-manieth is again every so-manieth, so sums stay exact."""
        return Share(self.spec, self.index + index * self.of, of * self.of)

    def useful_workers(self, wanted: int) -> int:
        """At most `wanted`, and no more than have something to do: a process for every 500/s or every connection."""
        spec = self.spec
        if spec.mode == Mode.CONSTANT_RPS:
            most = min(self.max_in_flight, max(1, int(spec.rate / 500 / self.of)))
        elif spec.mode == Mode.ITERATIONS:
            most = min(self.part(spec.concurrency), self.iterations)
        else:
            most = self.part(spec.concurrency)
        return max(1, min(wanted, most, MAX_WORKERS))

    @property
    def expected(self) -> int:
        return self.part(self.spec.expected)

    def part(self, whole: int) -> int:
        return (whole + self.of - 1 - self.index) // self.of

    @property
    def iterations(self) -> int:
        return self.part(self.spec.iterations)

    @property
    def max_in_flight(self) -> int:
        return self.part(self.spec.max_in_flight)

    def concurrency_at(self, t: float) -> int:
        return self.part(self.spec.concurrency_at(t))

    @property
    def requests(self) -> Sequence[bytes | Template]:
        """The requests in the order in which this worker sends them, over and over."""
        variants = self.spec.requests
        return [variants[(self.index + k * self.of) % len(variants)] for k in range(len(variants))]


class Schedule:
    """The open loop of one worker: its k-th request is due `due_ns(k)` after the start, for k below `count`.

    The run's n-th request, counted from 0, is due at n / rate, whatever became of those before it. The workers take
    turns, so the run as a whole is as even as one worker alone would make it.
    """

    def __init__(self, share: Share) -> None:
        self.count = share.part(share.spec.expected)
        self._first, self._step = share.index, share.of
        self._period_ns = 1e9 / share.spec.rate

    def due_ns(self, k: int) -> int:
        return int((self._first + k * self._step) * self._period_ns)
