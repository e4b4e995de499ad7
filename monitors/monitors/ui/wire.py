"""From the form of a monitor to the body of the API, and back."""

import base64
from typing import Any

from monitors.monitors import parameters
from monitors.monitors.models import Monitor, Tool
from monitors.monitors.ui.forms import LIMITS, MonitorForm

# Where the API's names and those of the form differ.
FIELDS = {
    "timezone": "time_zone",
    "agentId": "agent_id",
    "timeoutSeconds": "timeout_s",
    "alertAfter": "alert_after",
    "recoverAfter": "recover_after",
    "reminderMinutes": "reminder_minutes",
    "scriptContent": "script",
    "request": "url",
    "request.timeoutMs": "timeout_ms",
    "request.expect.status": "expect_status",
    "request.expect.bodyContains": "expect_body",
    **{f"thresholds.{wire}": name for name, (wire, _, _) in LIMITS.items()},
}


def wire(form: MonitorForm, current: Monitor | None = None) -> dict[str, Any]:
    """What was typed as a body of the API; against `current` what is gone is removed. Adds errors of its own."""
    typed = form.cleaned_data
    sent: dict[str, Any] = {
        "name": typed["name"],
        "schedule": typed["schedule"],
        "timezone": typed["time_zone"],
        "enabled": typed["enabled"],
        "alertAfter": typed["alert_after"],
        "recoverAfter": typed["recover_after"],
        "reminderMinutes": typed["reminder_minutes"],
        "tags": [tag.strip() for tag in typed["tags"].split(",") if tag.strip()],
        "thresholds": _kept(
            {wire: typed[name] for name, (wire, _, _) in LIMITS.items()}, current and current.thresholds
        ),
        "parameters": _kept(_pairs(form, "parameters", "="), current and current.parameters),
    }
    if typed["timeout_s"] is not None:
        sent["timeoutSeconds"] = typed["timeout_s"]
    if typed["agent_id"]:
        sent["agentId"] = typed["agent_id"]
    return sent | ({"request": _request(form, current)} if form.tool == Tool.HTTP else _script(form, current))


def _request(form: MonitorForm, current: Monitor | None) -> dict[str, Any]:
    typed = form.cleaned_data
    words = [word.strip() for word in typed["expect_status"].split(",") if word.strip()]
    expect = {
        "status": [int(word) if word.isdigit() else word for word in words] or None,
        "bodyContains": typed["expect_body"] or None,
    }
    before = (current and current.request) or {}
    expect = {**(before.get("expect") or {}), **expect}
    asked = {
        "url": typed["url"],
        "method": typed["method"],
        "headers": _pairs(form, "headers", ":") or None,
        "body": typed["body"] or None,
        "samples": typed["samples"],
        "concurrency": typed["concurrency"],
        "timeoutMs": typed["timeout_ms"],
        "followRedirects": typed["follow_redirects"],
        "verifyTls": typed["verify_tls"],
        "expect": {name: value for name, value in expect.items() if value is not None} or None,
    }
    return _kept(asked, before)


def _script(form: MonitorForm, current: Monitor | None) -> dict[str, Any]:
    if file := form.cleaned_data["script_file"]:
        return {"script": file}
    text = form.cleaned_data["script"].replace("\r\n", "\n")
    if current and current.script and text == current.script.body:
        return {}
    return {"scriptContent": base64.b64encode(text.encode()).decode()}


def _pairs(form: MonitorForm, field: str, sign: str) -> dict[str, str]:
    """Lines of `name<sign>value` as a mapping; a line of another form is an error of the field."""
    pairs = {}
    for number, line in enumerate(form.cleaned_data[field].splitlines(), start=1):
        name, found, value = line.partition(sign)
        if line.strip() and not found:
            form.add_error(field, f"Line {number} has no {sign} in it.")
        elif line.strip():
            pairs[name.strip()] = value.strip() if sign == ":" else value
    return pairs


def show_faults(form: MonitorForm, details: dict[str, list[str]]) -> None:
    """Put what the API's rules refused at the fields."""
    for wire, texts in details.items():
        head, _, last = wire.rpartition(".")
        name = FIELDS.get(wire) or (last if head == "request" else wire.split(".")[0])
        name = name if name in form.fields else FIELDS.get(name, name)
        said = [f"{last}: {text}" for text in texts] if head in ("parameters", "request.headers") else texts
        form.add_error(name if name in form.fields else None, said)


def initial_of(monitor: Monitor) -> dict[str, Any]:
    """A stored monitor as the form shows it; secrets as their mask."""
    asked, expect = monitor.request or {}, (monitor.request or {}).get("expect") or {}
    shown = {name: getattr(monitor, name) for name in ("name", "schedule", "time_zone", "timeout_s", "enabled")}
    shown |= {
        "alert_after": monitor.alert_after,
        "recover_after": monitor.recover_after,
        "reminder_minutes": monitor.reminder_minutes,
        "tags": ", ".join(monitor.tags),
        "agent_id": monitor.agent_id,
    }
    shown |= {name: monitor.thresholds.get(wire) for name, (wire, _, _) in LIMITS.items()}
    shown["parameters"] = "\n".join(f"{name}={text}" for name, text in parameters.masked(monitor.parameters).items())
    script = monitor.script
    shown["script"] = script.body if script else ""
    plain = {"url": "url", "method": "method", "body": "body", "samples": "samples", "concurrency": "concurrency"}
    plain |= {"timeout_ms": "timeoutMs", "follow_redirects": "followRedirects", "verify_tls": "verifyTls"}
    shown |= {name: asked[wire] for name, wire in plain.items() if wire in asked}
    shown["headers"] = "\n".join(f"{name}: {text}" for name, text in (asked.get("headers") or {}).items())
    shown["expect_status"] = ", ".join(map(str, expect.get("status") or []))
    shown["expect_body"] = expect.get("bodyContains", "")
    return shown


def _kept(now: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """What is there now, with None for what was there before and is gone (a change removes it)."""
    present = {name: value for name, value in now.items() if value is not None}
    return present | dict.fromkeys(set(before or {}) - set(present))
