"""What the API document says of bodies and answers (contract: signals §2.1, §4.1, §6)."""

from typing import Any

Schema = dict[str, Any]
TEXT, NUMBER, COUNT, FLAG = {"type": "string"}, {"type": "number"}, {"type": "integer"}, {"type": "boolean"}
STATES = {"type": "string", "enum": ["pending", "running", "paused", "held", "unresolved", "finished"]}


def _object(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **more}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


CREATED = _object({"id": TEXT, "name": TEXT, "status": TEXT, "state": STATES, "warnings": _list(TEXT)})
SUMMARY = _object(CREATED["properties"] | {"elapsed_secs": NUMBER, "degraded": FLAG})
LIST = _object({"scenarios": _list(SUMMARY)})
DETAIL = _object(SUMMARY["properties"] | {"stats": {"type": "object"}, "config": {"type": "object"}})
STARTED = {"oneOf": [CREATED, _object({"scenarios": _list(CREATED), "warnings": _list(TEXT)})]}
STATS = _object(
    {"total_events": COUNT, "current_rate": NUMBER, "target_rate": NUMBER, "state": STATES, "errors": COUNT}
)
DELETED = _object(
    {"id": TEXT, "status": {"type": "string", "enum": ["stopped", "force_stopped"]}, "total_events": COUNT}
)
SCENARIO = {"type": "object", "description": "A scenario, a list of them, or a document of version 2, in JSON or YAML."}
EVENT = _object(
    {
        "signal_type": {"type": "string", "enum": ["logs", "metrics"]},
        "labels": {"type": "object", "additionalProperties": TEXT},
        "log": _object({"severity": TEXT, "message": TEXT, "fields": {"type": "object"}}),
        "metric": _object({"name": TEXT, "value": NUMBER}),
        "encoder": {"type": "object"},
        "sink": {"type": "object"},
    },
    required=["signal_type", "sink"],
)
SENT = _object({"sent": FLAG, "signal_type": TEXT, "latency_ms": COUNT})
