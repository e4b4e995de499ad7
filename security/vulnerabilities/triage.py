"""What people decide about findings (contract: fleet console §22)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import Invalid, Malformed, NotFound
from config.api.permissions import OPERATOR, raised_door, require
from security.audit.services import record
from security.vulnerabilities.models import Decision, Finding, FindingQuerySet, Status
from security.vulnerabilities.telling import tell

LONGEST_REASON = 2000  # characters
CHANGED = ["status", "acknowledged_at", "fixed_at", "reopened_at"]


def visible(principal: Principal) -> FindingQuerySet:
    """Findings that the caller may see, with what their lists and pages read."""
    return Finding.objects.visible_to(principal).current().select_related("instance", "advisory")


def get_visible(*, principal: Principal, pk: str) -> Finding:
    """Raises Malformed for an impossible id, NotFound for an unknown or invisible one."""
    if len(pk) > 128 or "\x00" in pk:
        raise Malformed("Invalid vulnerability ID")
    found = visible(principal).filter(pk=pk).first()
    if found is None:
        raise NotFound(f"Vulnerability '{pk}' not found")
    return found


def decide(
    *, finding: Finding, status: str, actor: Principal, reason: str = "", now: datetime, request: Any = None
) -> Finding:
    """A person says what becomes of a finding, from any state; who, when and why is kept and audited.

    The same state again changes nothing unless it comes with a reason. Raises Invalid for a reason that cannot be
    kept, Forbidden when the door is raised (§1.3).
    """
    decide_many(findings=[finding], status=status, actor=actor, reason=reason, now=now, request=request)
    finding.refresh_from_db(fields=CHANGED)
    return finding


@transaction.atomic
def decide_many(
    *, findings: Iterable[Finding], status: str, actor: Principal, reason: str = "", now: datetime, request: Any = None
) -> int:
    """The same decision about several findings, all or none; how many it changed or gave a reason."""
    reason = checked_reason(reason)
    named = list(findings)
    for finding in named:
        require(actor, raised_door(OPERATOR), team_id=finding.instance.team_id)
    rows = Finding.objects.filter(pk__in=[finding.pk for finding in named]).select_for_update().order_by("pk")
    moved = [row for row in rows if reason or row.status != status]
    decisions = [_decision(row, status, actor, reason, now) for row in moved]
    teams = {finding.pk: finding.instance.team_id for finding in named}
    for row, decision in zip(moved, decisions, strict=True):
        move(row, status, now)
        record(
            actor=actor, action="UPDATE", resource="finding", resource_id=row.pk, request=request,
            team_id=teams[row.pk], act=ACTS[Status(status)], vulnerability=row.cve_id, package=row.package_name,
            instance=row.instance_id, before=decision.before, after=status, reason=reason or None,
        )  # fmt: skip
    Finding.objects.bulk_update(moved, CHANGED)
    Decision.objects.bulk_create(decisions)
    if moved:
        tell()
    return len(moved)


def _decision(finding: Finding, status: str, actor: Principal, reason: str, at: datetime) -> Decision:
    return Decision(
        finding=finding,
        author=actor.user,
        author_name=actor.name,
        before=finding.status,
        after=status,
        reason=reason,
        at=at,
    )


ACTS = {
    Status.OPEN: "reopen",
    Status.ACKNOWLEDGED: "acknowledge",
    Status.FIXED: "fix",
    Status.FALSE_POSITIVE: "false-positive",
}


def move(finding: Finding, status: str, now: datetime) -> None:
    """Set the state of a finding and the times that belong to it; nothing is stored.

    The time of an acknowledgement stays until the finding opens again, that of a fix as long as it counts as fixed.
    """
    if status != finding.status:
        if status == Status.ACKNOWLEDGED:
            finding.acknowledged_at = now
        elif status == Status.OPEN:
            finding.acknowledged_at, finding.reopened_at = None, now
        finding.fixed_at = now if status == Status.FIXED else None
    finding.status = status


def checked_reason(reason: str) -> str:
    """The reason as it is kept. Raises Invalid."""
    reason = reason.strip()
    if "\x00" in reason or len(reason) > LONGEST_REASON:
        sentence = f"A reason is text of at most {LONGEST_REASON} characters."
        raise Invalid(sentence, details={"reason": [sentence]})
    return reason
