"""Reading one event, and sending it (contract: signals §10)."""

import time
from concurrent.futures import wait
from typing import Any

import msgspec
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import ApiError, BadGateway
from fleet.collectors.refusals import Refused
from loadtest.signals.feeding import machines
from loadtest.signals.feeding.storing import Target, stored
from loadtest.signals.generators.batches import Batch
from loadtest.signals.generators.emitter import Emitter
from loadtest.signals.generators.specs import LogReplay, LogRow
from loadtest.signals.hosting.child import folder, policy
from loadtest.signals.running import accepting
from loadtest.signals.scenario import sinks
from loadtest.signals.scenario.entry import Entry
from loadtest.signals.schedule.pacing import Span
from loadtest.signals.sinks.accounts import Account
from loadtest.signals.sinks.making import make
from loadtest.signals.sinks.platform import Platform

WITHIN_S, LOOK_S = 10.0, 0.01
SEVERITIES = ("trace", "debug", "info", "warn", "error", "fatal")
PARTS = {"logs": "log", "metrics": "metric"}


def read(body: dict[str, Any], *, actor: Principal) -> Entry:
    """The entry that makes exactly this event. Raises ApiError 400 for a missing part, 422 for a value."""
    signal = body.get("signal_type")
    if signal not in PARTS:
        raise _fault("signal_type: must be logs or metrics", 400)
    part = body.get(PARTS[signal])
    if not isinstance(part, dict):
        raise _fault(f"{PARTS[signal]}: is missing or no object", 400)
    if not isinstance(body.get("sink"), dict):
        raise _fault("sink: is missing or no object", 400)
    common = {"signal_type": signal, "rate": 1} | {
        name: body[name] for name in ("labels", "encoder", "sink") if body.get(name) is not None
    }
    entry = _metric(common, part) if signal == "metrics" else _log(common, part)
    accepting.checked_targets([entry])
    if isinstance(entry.sink, sinks.Platform):
        if not entry.sink.instance:
            raise _fault("sink.instance: a single event needs the instance that it belongs to", 422)
        machines.given(entry=entry, instance_id=entry.sink.instance, actor=actor)
    return entry


def _metric(common: dict[str, Any], part: dict[str, Any]) -> Entry:
    for name in ("name", "value"):
        if name not in part:
            raise _fault(f"metric.{name}: is missing", 400)
    generator = {"type": "constant", "value": part["value"]}
    return accepting.made({**common, "name": part["name"], "generator": generator})


def _log(common: dict[str, Any], part: dict[str, Any]) -> Entry:
    message, severity, fields = part.get("message"), part.get("severity", "info"), part.get("fields") or {}
    if not isinstance(message, str):
        raise _fault("log.message: is missing or no text", 400)
    if severity not in SEVERITIES:
        raise _fault(f"log.severity: must be one of {', '.join(SEVERITIES)}", 422)
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise _fault("log.fields: must be an object of texts", 422)
    generator = {"type": "template", "templates": [{"message": "event"}]}
    entry = accepting.made({**common, "name": "event", "log_generator": generator})
    return msgspec.structs.replace(entry, generator=LogReplay(rows=[LogRow(severity, message, fields)]))


def _fault(text: str, status: int) -> ApiError:
    return ApiError(text, status=status, code="bad_request" if status == 400 else "unprocessable_entity")


def send(entry: Entry) -> int:
    """Send it and wait for the sink; milliseconds that it took. Raises BadGateway when the sink refused."""
    began = time.monotonic()
    batch = Emitter(entry).emit(Span(first_tick=0, count=1, due_s=0.0, interval_s=1.0), time.time_ns())
    account = Account(name=entry.name)
    sink = make(entry.sink, account, policy=policy, folder=folder())
    if isinstance(sink, Platform):
        _store(sink, entry, batch)
    else:
        sink.write(batch)
        sink.close()
        while not sink.closed:
            if time.monotonic() - began > WITHIN_S:
                raise BadGateway("the sink did not take the event within 10 s")
            time.sleep(LOOK_S)
    if account.last_fault:
        raise BadGateway(account.last_fault)
    return round((time.monotonic() - began) * 1000)


def _store(sink: Platform, entry: Entry, batch: Batch) -> None:
    sink.write(batch, is_log=entry.is_log)
    parcel, now, refused = sink.take(), timezone.now(), Refused()
    if parcel is None:
        raise BadGateway("the platform keeps no value that is not finite")
    target = Target("event", entry.sink.instance or "", is_virtual=False, metric_type=entry.metric_type or "")
    waits = stored(target, parcel, refused, now)
    done = wait(waits, WITHIN_S)
    for one in done.done:
        one.result()
    if done.not_done or refused.total:
        raise BadGateway(f"the platform did not store the event: {refused.text or 'it took too long'}")
