"""Runs one script in a sandbox of its own (contract: load testing §15.1)."""

import json
import secrets
import threading
import time
from dataclasses import dataclass
from functools import cache

from .facts import Facts, Limits, Outcome, Request, Response
from .machine import Image, Machine, Stopped
from .prelude import source
from .record import Record

_WAIT_S = 30.0

_free = threading.Condition()
_alive = 0


def run_script(text: str, facts: Facts, limits: Limits) -> Outcome:
    """Run a script and tell what it did; never raises because of the script (contract: load testing §15.1).

    Blocks for at most `limits.timeout_ms` of wall-clock time plus the wait for a free sandbox, without holding up other
    threads. Nothing survives the call. A script that a limit ended changes no stored variable and no request.
    """
    if not text.strip():
        return Outcome(local=facts.local)
    if not _enter(limits.at_once):
        return Outcome(local=facts.local, error="No script sandbox became free within 30 s")
    try:
        return _run(text, facts, limits)
    finally:
        _leave()


def _run(text: str, facts: Facts, limits: Limits) -> Outcome:
    record, ready = Record(facts), _ready()
    machine = None
    try:
        machine = Machine(
            timeout_ms=limits.timeout_ms,
            memory_bytes=limits.memory_bytes,
            stack_bytes=limits.stack_bytes,
            host=lambda line: record.take(line, machine),
            image=ready.image,
        )
        machine.call(ready.run, *_input(facts, limits), text)
        machine.drain()
        machine.call(ready.finish)
    except Stopped as stopped:
        return record.outcome(_told(stopped.limit, limits))
    finally:
        if machine:
            machine.close()
    return record.outcome()


@dataclass(frozen=True)
class _Ready:
    """A machine that has read the prelude, and its two functions there."""

    image: Image
    run: int
    finish: int


@cache
def _ready() -> _Ready:
    """Made once a process: to read the prelude anew would take most of a script's time."""
    standard = Limits()
    machine = Machine(
        timeout_ms=60_000,
        memory_bytes=standard.memory_bytes,
        stack_bytes=standard.stack_bytes,
        host=lambda line: None,
    )
    try:
        prelude = machine.evaluate(source())
        run, finish = machine.member(prelude, "run"), machine.member(prelude, "finish")
        return _Ready(machine.image(), run, finish)
    finally:
        machine.close()


def _told(limit: str, limits: Limits) -> str:
    match limit:
        case "time":
            return f"Script timed out after {limits.timeout_ms} ms"
        case "memory":
            return "Script exceeded its memory limit"
        case _:
            return "Maximum call stack size exceeded"


def _enter(at_once: int) -> bool:
    global _alive
    deadline = time.monotonic() + _WAIT_S
    with _free:
        while _alive >= at_once:
            if not _free.wait(max(0.0, deadline - time.monotonic())):
                return False
        _alive += 1
        return True


def _leave() -> None:
    global _alive
    with _free:
        _alive -= 1
        _free.notify()


def _input(facts: Facts, limits: Limits) -> tuple[str, str]:
    """The facts as JSON, and beside them the body, which may be large."""
    body = facts.response.text if facts.response else ""
    withheld = len(body) > limits.memory_bytes // 4
    known = {
        "console": limits.console,
        "seed": [secrets.randbits(32) for _ in range(4)],
        "info": {
            "eventName": facts.event,
            "requestId": facts.request_id,
            "requestName": facts.request_name,
            "iteration": facts.iteration,
            "iterationCount": facts.iteration_count,
        },
        "request": _request(facts.request),
        "response": _response(facts.response, withheld) if facts.response else None,
        "environment": facts.environment,
        "collections": list(facts.collections),
        "globals": facts.globals,
        "local": facts.local,
    }
    return json.dumps(known, default=dict), "" if withheld else body


def _request(request: Request) -> dict:
    return {"method": request.method, "url": request.url, "headers": list(request.headers), "body": request.body}


def _response(response: Response, withheld: bool) -> dict:
    return {
        "code": response.code,
        "reason": response.reason,
        "headers": list(response.headers),
        "time": response.time_ms,
        "wire": response.wire_ms,
        "queueWait": response.queue_wait_ms,
        "bodySize": response.body_size,
        "headerSize": response.header_size,
        "errorCode": response.error_code,
        "errorMessage": response.error_message,
        "withheld": withheld,
    }
