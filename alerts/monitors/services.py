"""Counting finished runs and keeping each monitor's alert (contract: monitors §6).

Alerts look at runs, since monitors do not know alerts. A run is counted once: the transaction that counts it holds
its monitor's state and marks the run with a conditional update.
"""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from alerts.channels.queries import for_monitors
from alerts.incidents.models import Alert, AlertEvent, Severity, Source
from alerts.incidents.services import fire, resolve
from alerts.incidents.telling import tell
from alerts.monitors.counting import Step, Tally, count
from alerts.monitors.models import MonitorState
from alerts.monitors.reminders import remind
from alerts.monitors.steady import count_steady
from monitors.runs.models import GOOD, Run, Status

log = logging.getLogger(__name__)
BATCH = 500  # runs that one look counts
FLAPPING = "flapping"
TYPES = {Status.FAIL: "threshold", Status.ERROR: "error", Status.TIMEOUT: "timeout"}
SEVERITIES = {
    "threshold": Severity.CRITICAL,
    "timeout": Severity.CRITICAL,
    "error": Severity.HIGH,
    FLAPPING: Severity.MEDIUM,
}


def look(*, now: datetime | None = None) -> int:
    """Count the runs that have finished, in their order; how many. Alerts of disabled monitors end, others remind.

    A fault with one monitor is logged; its runs stay uncounted and are tried again at the next look.
    """
    now = now or timezone.now()
    waiting = list(Run.objects.uncounted().only("monitor_id", "status")[:BATCH])
    steady = count_steady(waiting, now=now) if waiting else set()
    counted = len(steady)
    broken: set[UUID] = set()
    for monitor_id in [run.monitor_id for run in waiting if run.pk not in steady]:
        if monitor_id in broken:
            continue
        try:
            counted += count_next(monitor_id, now=now)
        except Exception:  # noqa: BLE001 - one monitor must not keep the others' alerts from coming
            broken.add(monitor_id)
            log.exception("a run of monitor %s could not be counted", monitor_id)
    retire(now=now)
    remind(now=now)
    return counted


@transaction.atomic
def count_next(monitor_id: UUID, *, now: datetime) -> bool:
    """Count the oldest uncounted run of a monitor; False when there is none any more."""
    MonitorState.objects.get_or_create(pk=monitor_id)
    state = MonitorState.objects.select_for_update().get(pk=monitor_id)  # two lookers count in turn
    run = Run.objects.uncounted().filter(monitor_id=monitor_id).select_related("monitor").first()
    if run is None or not Run.objects.filter(pk=run.pk, counted_at=None).update(counted_at=now):
        return False
    if run.status == Status.CANCELLED:
        return True
    if not run.monitor.enabled:
        MonitorState.objects.filter(pk=state.pk).delete()  # switched on again it starts anew
        return True
    _count(state, run, now)
    return True


def _count(state: MonitorState, run: Run, now: datetime) -> None:
    """Apply one good or bad run to the state and to the alert."""
    alert = Alert.objects.open().filter(monitor=run.monitor, source=Source.MONITOR).select_related("monitor").first()
    tally, step = count(
        Tally(state.outcomes, state.bad_in_row, state.good_in_row, state.flapping),
        good=run.status in GOOD,
        is_open=alert is not None,
        alert_after=run.monitor.alert_after,
        recover_after=run.monitor.recover_after,
    )
    state.outcomes, state.flapping = tally.outcomes, tally.flapping
    state.bad_in_row, state.good_in_row = tally.bad_in_row, tally.good_in_row
    state.save()
    if alert is None:
        if step in (Step.OPEN, Step.START_FLAPPING):
            _open(run, flapping=step is Step.START_FLAPPING, now=now)
    elif step in (Step.REPEAT, Step.START_FLAPPING):
        _repeat(alert, run, flapping=step is Step.START_FLAPPING, now=now)
    elif step in (Step.RESOLVE, Step.STOP_FLAPPING):
        text = "Three good runs in a row" if step is Step.STOP_FLAPPING else "The monitor is good again"
        resolve(alert=alert, now=now, notify=step is Step.RESOLVE, text=text, resolved_by_run_id=run.pk)


def _open(run: Run, *, flapping: bool, now: datetime) -> None:
    type = FLAPPING if flapping else TYPES[Status(run.status)]
    title, message = wording(run, type)
    fire(
        channels=for_monitors(),
        notify=not flapping,
        now=now,
        source=Source.MONITOR,
        type=type,
        severity=SEVERITIES[type],
        title=title[:300],
        message=message[:2000],
        metadata={"monitorName": run.monitor.name, "runStatus": run.status, "trigger": run.trigger},
        dedupe_key=f"monitor:{run.monitor_id}",
        monitor=run.monitor,
        run_id=run.pk,
        last_run_id=run.pk,
        breaches=run.breaches,
    )


def _repeat(alert: Alert, run: Run, *, flapping: bool, now: datetime) -> None:
    """One more bad run of an open alert, or the change that makes it flap."""
    change: dict = {}
    if run.status not in GOOD:
        change = {"occurrences": F("occurrences") + 1, "last_run_id": run.pk}
    if flapping and alert.type != FLAPPING:
        change["type"] = FLAPPING
        text = "Good and bad runs take turns; notices stop until three good runs in a row"
        AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.FLAPPING, at=now, text=text)
    if change:
        Alert.objects.filter(pk=alert.pk).update(**change)
        alert.refresh_from_db()
        tell(alert, "repeated")


def wording(run: Run, type: str) -> tuple[str, str]:
    """Title and message of an alert that opens with this run."""
    name = run.monitor.name
    if type == FLAPPING:
        return f"{name} is flapping", f"Good and bad runs of {name} take turns."
    if type == "timeout":
        return f"{name} timed out", f"The run did not end within {run.timeout_s} s."
    if type == "error":
        error = run.error or {"code": "error", "message": "nothing usable was measured"}
        return f"{name} cannot be measured", f"{error['code']}: {error['message']}"
    reasons = "; ".join(breach.get("message") or str(breach.get("threshold", "")) for breach in run.breaches)
    return f"{name} breaches its thresholds", reasons or "A threshold was breached."


def retire(*, now: datetime) -> int:
    """End the alerts of monitors that were switched off; how many. Their count starts anew."""
    ended = Alert.objects.open().filter(monitor__enabled=False)
    idle = list(ended.select_related("monitor")[:BATCH]) if ended.exists() else []  # asked each second
    for alert in idle:
        with transaction.atomic():
            resolve(alert=alert, now=now, notify=alert.type != FLAPPING, text="The monitor was switched off")
    counts = MonitorState.objects.filter(monitor__enabled=False)
    if counts.exists():  # an idle look writes nothing
        counts.delete()
    return len(idle)
