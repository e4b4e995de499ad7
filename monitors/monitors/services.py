"""Creating, changing and deleting monitors (contract: monitors §2, §3, §4)."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config import live, outbound
from config.api.authentication import Principal
from config.api.errors import Conflict, Forbidden, Invalid
from config.api.permissions import ADMIN
from monitors.agents.models import DEFAULT
from monitors.agents.services import get_agent
from monitors.licence import services as licence
from monitors.monitors import cron, parameters
from monitors.monitors.models import Monitor, Script
from monitors.tools.registry import TOOLS
from security.audit.services import record
from security.vault import references

_PLAIN = (
    *("name", "schedule", "tool", "enabled", "time_zone", "timeout_s"),
    *("alert_after", "recover_after", "reminder_minutes", "tags"),
)


@transaction.atomic
def create(*, actor: Principal | None, fields: Mapping[str, Any], request: Any = None) -> Monitor:
    """A new monitor from checked `fields` (see `api.serializers.MonitorInput`).

    Raises Invalid for a rule between fields, Conflict for a time limit beyond the schedule's shortest gap.
    """
    licence.check_monitors()
    _check_trust(actor, fields.get("tool", ""))
    monitor = Monitor()
    _check_references(actor, fields, monitor)
    script = _apply(monitor, fields, now=timezone.now(), new=True)
    monitor.save(force_insert=True)
    if script:
        _keep_script(monitor, script)
    record(
        actor=actor,
        action="CREATE",
        resource="monitor",
        resource_id=str(monitor.pk),
        request=request,
        after=facts(monitor),
    )
    _publish(monitor, "created")
    return monitor


@transaction.atomic
def update(*, monitor: Monitor, actor: Principal | None, fields: Mapping[str, Any], request: Any = None) -> Monitor:
    """Merge a change into a monitor; runs that have started keep their settings. Raises as `create` does."""
    monitor = Monitor.objects.select_for_update().get(pk=monitor.pk)
    _check_trust(actor, monitor.tool, fields.get("tool", ""))
    _check_references(actor, fields, monitor)
    before = facts(monitor)
    script = _apply(monitor, fields, now=timezone.now(), new=False)
    if script:
        monitor.script_version += 1
    # Named, so that what the dispatcher and finished runs write meanwhile stays.
    changed = [
        *_PLAIN,
        "shortest_gap_s",
        "next_run_at",
        "thresholds",
        "parameters",
        "request",
        "agent",
        "script_version",
    ]
    monitor.save(update_fields=[*changed, "updated_at"])
    if script:
        _keep_script(monitor, script)
    record(
        actor=actor,
        action="UPDATE",
        resource="monitor",
        resource_id=str(monitor.pk),
        request=request,
        before=before,
        after=facts(monitor),
    )
    _publish(monitor, "updated")
    return monitor


@transaction.atomic
def delete(*, monitor: Monitor, actor: Principal | None, request: Any = None) -> None:
    """Delete a monitor with its scripts, runs and alerts; the worker of an active run sees its row gone and stops."""
    key, before = str(monitor.pk), facts(monitor)
    Monitor.objects.filter(pk=monitor.pk).update(last_run=None)
    monitor.delete()
    record(actor=actor, action="DELETE", resource="monitor", resource_id=key, request=request, before=before)
    transaction.on_commit(lambda: _tell(key, "deleted"))


def draft(
    *, actor: Principal | None, fields: Mapping[str, Any], monitor: Monitor | None = None
) -> tuple[Monitor, tuple[str, str]]:
    """The monitor as it would be saved, and its script as (name, text), checked as for saving; nothing is written.

    Against `monitor` the fields are a change. Raises as `create` does, but not for the number of monitors.
    """
    _check_trust(actor, monitor.tool if monitor else "", fields.get("tool", ""))
    drafted = Monitor.objects.get(pk=monitor.pk) if monitor else Monitor()
    _check_references(actor, fields, drafted)
    script = _apply(drafted, fields, now=timezone.now(), new=monitor is None)
    kept = drafted.script if monitor else None
    return drafted, script or ((kept.name, kept.body) if kept else ("", ""))


def facts(monitor: Monitor) -> dict[str, Any]:
    """What the audit keeps of a monitor; secret values and headers are masked."""
    asked = dict(monitor.request or {})
    if asked.get("headers"):
        asked["headers"] = dict.fromkeys(asked["headers"], parameters.MASK)
    return {name: getattr(monitor, name) for name in _PLAIN} | {
        "thresholds": monitor.thresholds,
        "parameters": parameters.masked(monitor.parameters),
        "request": asked or None,
        "agent": monitor.agent_id,
        "script_version": monitor.script_version,
    }


def _apply(monitor: Monitor, fields: Mapping[str, Any], *, now: datetime, new: bool) -> tuple[str, str] | None:
    """Put the fields on the row and check it as a whole; the new script as (name, text), if one came."""
    faults: dict[str, list[str]] = {}
    fires_by = (monitor.schedule, monitor.time_zone)
    first_script = new or not monitor.script_version or monitor.tool != fields.get("tool", monitor.tool)
    for name in _PLAIN:
        if name in fields:
            setattr(monitor, name, fields[name])
    monitor.thresholds = _merged(monitor.thresholds, fields.get("thresholds"))
    monitor.request = _merged(monitor.request or {}, fields.get("request")) or None
    if isinstance((monitor.request or {}).get("expect"), dict):
        monitor.request["expect"] = {k: v for k, v in monitor.request["expect"].items() if v is not None}
    try:
        monitor.parameters = parameters.merged(
            monitor.parameters, fields.get("parameters") or {}, monitor_id=monitor.pk
        )
    except KeyError as error:
        faults[f"parameters.{error.args[0]}"] = ["This is the mask of a secret, and no value is stored for it."]
    if len(monitor.parameters) > parameters.MOST:
        faults["parameters"] = [f"At most {parameters.MOST} parameters."]
    agent = get_agent(fields.get("agent_id", monitor.agent_id or DEFAULT))
    if agent is None:
        faults["agentId"] = [f"There is no agent '{fields['agent_id'][:63]}'."]
    else:
        monitor.agent = agent
    script = fields.get("script")
    faults |= _faults_of_tool(monitor, script, first=first_script)
    faults |= _faults_of_schedule(monitor, now, anew=_reschedules(fields))
    if faults:
        raise Invalid("The monitor breaks a rule", details=faults)
    if monitor.timeout_s and monitor.timeout_s > monitor.shortest_gap_s:
        raise Conflict(
            f"timeoutSeconds {monitor.timeout_s} is longer than the shortest gap of the schedule, "
            f"{monitor.shortest_gap_s} s: two runs could overlap."
        )
    if (monitor.schedule, monitor.time_zone) != fires_by:
        licence.check_interval(monitor.shortest_gap_s)
    if script and new:
        monitor.script_version = 1
    return script


def _check_trust(actor: Principal | None, *tools: str) -> None:
    """Raise Forbidden unless an administrator deals with scripts that run any code (contract: monitors §8.6)."""
    for name in tools:
        if name in TOOLS and TOOLS[name].unsandboxed and actor is not None and not actor.may(ADMIN):
            raise Forbidden(
                f"Only administrators create and edit monitors of the tool {name}: its scripts run any code."
            )


def _check_references(actor: Principal | None, fields: Mapping[str, Any], monitor: Monitor) -> None:
    """Raise Invalid for a parameter that comes to refer to a secret which monitors cannot use; Forbidden as `check`."""
    sent = (fields.get("parameters") or {}).items()
    changed = {f"parameters.{name}": text for name, text in sent if text and text != monitor.parameters.get(name)}
    references.check(changed, use=references.Use.MONITORS, principal=actor)


def _merged(current: Mapping[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """`changes` into `current`, key by key; None removes one."""
    return {name: value for name, value in {**current, **(changes or {})}.items() if value is not None}


def _reschedules(fields: Mapping[str, Any]) -> bool:
    return bool({"schedule", "time_zone", "enabled"} & set(fields))


def _faults_of_schedule(monitor: Monitor, now: datetime, *, anew: bool) -> dict[str, list[str]]:
    """Work out the gap and the next fire time; what is wrong with the schedule."""
    if not anew and monitor.next_run_at:
        return {}
    try:
        monitor.shortest_gap_s = cron.shortest_gap_s(monitor.schedule, monitor.time_zone, now)
    except cron.BadSchedule as error:
        return {"schedule": [str(error)]}
    if monitor.shortest_gap_s < settings.MONITOR_MIN_INTERVAL_S:
        least = settings.MONITOR_MIN_INTERVAL_S
        return {"schedule": [f"The shortest gap is {monitor.shortest_gap_s} s; at least {least} s are needed."]}
    monitor.next_run_at = cron.next_fire(monitor.schedule, monitor.time_zone, now) if monitor.enabled else None
    return {}


def _faults_of_tool(monitor: Monitor, script: tuple[str, str] | None, *, first: bool) -> dict[str, list[str]]:
    tool = TOOLS[monitor.tool]
    plain = {name: value for name, value in monitor.parameters.items() if isinstance(value, str)}
    faults = tool.faults(script[1] if script else "", plain)
    if tool.script_name is None:
        if script:
            return {"script": [f"The tool {monitor.tool} takes a request, not a script."]}
        return faults | _faults_of_request(monitor)
    if monitor.request:
        return {"request": [f"The tool {monitor.tool} takes a script, not a request."]}
    if not script and first:
        return {"scriptContent": [f"The tool {monitor.tool} needs a script: script or scriptContent."]}
    return faults


def _faults_of_request(monitor: Monitor) -> dict[str, list[str]]:
    asked = monitor.request or {}
    if not asked.get("url"):
        return {"request.url": ["This field is required."]}
    texts = [asked["url"], asked.get("body") or "", *(asked.get("headers") or {}).values()]
    unknown = {name for text in texts for name in parameters.names_used(text)} - set(monitor.parameters)
    if unknown:
        return {"request": [f"There is no parameter {name}." for name in sorted(unknown)]}
    if references.texts_in(texts):
        return {"request": ["A secret is named in a parameter; here its parameter is named, as ${NAME}."]}
    values = parameters.opened(monitor.parameters, monitor_id=monitor.pk)
    if any(references.names_in(values[name]) for name in parameters.names_used(asked["url"])):
        return {}  # where it leads is known, and judged, when a run reads the secret
    policy = outbound.default_policy(deny=settings.MONITOR_TARGET_DENY)
    try:
        outbound.check_url(parameters.filled_in(asked["url"], values), policy)
    except outbound.OutboundError as error:
        return {"request.url": [str(error)]}
    return {}


def _keep_script(monitor: Monitor, script: tuple[str, str]) -> None:
    name, body = script
    raw = body.encode()
    Script.objects.create(
        monitor=monitor,
        version=monitor.script_version,
        name=name or TOOLS[monitor.tool].script_name or "",
        body=body,
        size=len(raw),
        sha256=sha256(raw).hexdigest(),
    )


def _publish(monitor: Monitor, kind: str) -> None:
    key = str(monitor.pk)
    transaction.on_commit(lambda: _tell(key, kind))


def _tell(key: str, kind: str) -> None:
    for topic in (f"monitor:{key}", "monitors"):
        live.publish(topic, {"kind": kind, "monitorId": key})
