"""Bodies of answers beyond the contract's: what a rule finds now, and what it would have done."""

from datetime import datetime
from typing import Any

from alerts.backtest.services import Backtest, backtest
from alerts.evaluation.preview import preview
from alerts.evaluation.standing import Standing
from alerts.rules.models import Rule
from config.api.authentication import Principal
from config.api.fields import milliseconds


def standing_body(one: Standing) -> dict[str, Any]:
    """`instanceId` null is the fleet as a whole; `since` null: it was never anything but not true."""
    return {
        "instanceId": None if one.is_fleet else one.subject_id,
        "instanceName": one.name,
        "verdict": str(one.verdict),
        "value": one.value,
        "since": milliseconds(one.since_at),
        "history": one.history,
        "alertId": one.alert_id,
    }


def trial_body(rule: Rule, principal: Principal, now: datetime) -> dict[str, Any]:
    """The rule tried over the past, and at this moment."""
    seen = preview(rule, principal, now)
    current = {
        "firing": len(seen.names),
        "names": seen.names[:100],
        "judged": seen.judged,
        "pending": seen.pending,
        "unknown": seen.unknown,
        "notice": seen.notice,
    }
    return _past(backtest(rule, principal, now=now)) | {"now": current}


def _past(result: Backtest) -> dict[str, Any]:
    firings = [
        {
            "instanceId": one.subject.id,
            "instanceName": one.subject.name,
            "firedAt": milliseconds(one.fired_at),
            "resolvedAt": milliseconds(one.ended_at),
            "value": one.value,
        }
        for one in result.firings
    ]
    return {
        "possible": result.possible,
        "reason": result.reason,
        "from": milliseconds(result.since),
        "to": milliseconds(result.until),
        "stepSec": result.step_s,
        "basis": result.basis,
        "instances": result.total,
        "judged": result.judged,
        "complete": result.complete,
        "fired": result.count,
        "affected": result.affected,
        "firings": firings,
        "openByHour": [{"at": at, "open": count} for at, count in result.by_hour],
    }
