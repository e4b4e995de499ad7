"""Live events as the messages that browsers get (contract: fleet console §32.2, §32.3)."""

from datetime import datetime
from typing import Any

from config.api.authentication import Principal
from fleet.agents.frames import console
from fleet.live.handlers import TELLERS

Message = dict[str, Any]


def visible(event: Message, principal: Principal) -> bool:
    """Whether the caller may see the instance that the event tells of; it carries the team for this question."""
    if principal.instance_id:
        return event.get("instanceId") == principal.instance_id
    if principal.sees_all:
        return True
    return "teamId" in event and (event["teamId"] is None or event["teamId"] in principal.teams)


def for_subscriber(event: Message) -> list[Message]:
    """What a subscriber of the instance gets for an event of its topic."""
    instance_id = event["instanceId"]
    match event["kind"]:
        case "heartbeat":
            return _reported(instance_id, event)
        case "event":
            data = {"eventType": event["eventType"], "metadata": event["metadata"]}
            return [console("events", "event:instance", instance_id, data)]
        case kind:
            return TELLERS[kind](event) if kind in TELLERS else []


def lines(instance_id: str, entries: list[Message]) -> Message:
    """Log lines that have been stored, each once, in the shape of the API."""
    if len(entries) == 1:
        return console("logs", "log:line", instance_id, entries[0])
    return console("logs", "log:batch", instance_id, {"lines": entries})


def _reported(instance_id: str, event: Message) -> list[Message]:
    sample, uptime = event["sample"] if event["measured"] else None, event["uptimeS"]
    beat = {"instance_id": instance_id, "timestamp": event["at"], "uptime_seconds": uptime, "uptime": uptime}
    messages = [console("heartbeat", "heartbeat:pong", instance_id, beat | _usage(sample or {}))]
    if sample:
        metrics = _usage(sample) | {
            "uptime": uptime,
            "loadAvg": [sample.get("load1"), sample.get("load5"), sample.get("load15")],
            "networkBytesIn": sample.get("net_rx"),
            "networkBytesOut": sample.get("net_tx"),
            "processCount": sample.get("process_count"),
        }
        messages += [console("metrics", "metrics:update", instance_id, metrics), snapshot(event)]
    return messages


def _usage(sample: Message) -> Message:
    return {
        "cpuPercent": sample.get("cpu_pct"),
        "memoryUsed": sample.get("mem_used"),
        "memoryTotal": sample.get("mem_total"),
        "diskUsed": sample.get("disk_used"),
        "diskTotal": sample.get("disk_total"),
    }


def snapshot(event: Message) -> Message:
    """The newest sample in one flat message; `ts` is its time in Unix milliseconds."""
    sample = event["sample"]
    return {
        "type": "metrics:snapshot",
        "instance_id": event["instanceId"],
        "ts": int(datetime.fromisoformat(sample["at"]).timestamp() * 1000),
        "cpu_percent": sample.get("cpu_pct"),
        "memory_used": sample.get("mem_used"),
        "memory_total": sample.get("mem_total"),
        "disk_used": sample.get("disk_used"),
        "disk_total": sample.get("disk_total"),
        "network_bytes_in": sample.get("net_rx"),
        "network_bytes_out": sample.get("net_tx"),
    }


def heartbeat(event: Message) -> Message:
    """A heartbeat for everyone who may see the instance (shape: contract §4)."""
    sample = event["sample"] or {}
    sizes = ("memoryUsed", "memoryTotal", "diskUsed", "diskTotal")
    usage = _usage(sample)
    return {
        "type": "heartbeat",
        "payload": {
            "instanceId": event["instanceId"],
            "cpuPercent": usage["cpuPercent"],
            **{f"{name}Bytes": text(usage[name]) for name in sizes},
            "uptimeSeconds": text(event["uptimeS"]),
            "timestamp": event["at"],
        },
    }


def instance_update(event: Message) -> Message:
    """An instance has another status."""
    payload = {name: event[name] for name in ("instanceId", "status", "updatedAt")}
    return {"type": "instance_update", "payload": payload}


def text(count: int | None) -> str | None:
    """A large count travels as a decimal string."""
    return None if count is None else str(count)
