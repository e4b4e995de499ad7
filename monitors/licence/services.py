"""What the licence allows, and taking a new one in (contract: monitors §9).

Without public keys nothing is ever limited. A limit only keeps new things out: what exists runs on.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Forbidden, Invalid
from monitors.agents.models import DEFAULT, Agent
from monitors.licence import keys
from monitors.licence.models import ONLY, Licence
from monitors.monitors.models import Monitor
from security.audit.services import record
from security.vault.crypto import Unreadable, decrypt, encrypt

log = logging.getLogger(__name__)
CONTEXT = "monitors.licence"
FREE_MONITORS = 5


@dataclass(frozen=True)
class Standing:
    """Where this installation stands. None is no limit; `status` is none, valid or expired."""

    tier: str
    enforced: bool
    status: str = "none"
    monitor_limit: int | None = None
    agent_limit: int | None = None
    min_interval_s: int | None = None
    valid_until: datetime | None = None
    issued_to: str | None = None


def standing(*, now: datetime | None = None) -> Standing:
    """What holds now."""
    if not settings.LICENSE_PUBLIC_KEYS:
        return Standing(tier="community", enforced=False)
    return _standing(Licence.objects.filter(pk=ONLY).first(), now or timezone.now())


def _standing(row: Licence | None, now: datetime) -> Standing:
    terms = _terms(row)
    if terms is None:
        return Standing(tier="free", enforced=True, monitor_limit=FREE_MONITORS)
    return Standing(
        tier=terms.tier,
        enforced=True,
        status="expired" if terms.expired(now) else "valid",
        monitor_limit=terms.monitor_limit,
        agent_limit=terms.agent_limit,
        min_interval_s=terms.min_interval_s,
        valid_until=terms.valid_until,
        issued_to=terms.issued_to or None,
    )


def _terms(row: Licence | None) -> keys.Terms | None:
    """What the stored key grants; None without one, or when nobody vouches for it any more."""
    if row is None or not row.key:
        return None
    try:
        return keys.read(decrypt(row.key, context=CONTEXT), settings.LICENSE_PUBLIC_KEYS)
    except (keys.BadKey, Unreadable) as fault:
        log.warning("the stored licence is not used: %s", fault)
        return None


@transaction.atomic
def install(*, text: str, actor: Principal | None, now: datetime | None = None, request: Any = None) -> Standing:
    """Take a key in, in place of the old one. Raises Invalid for one that cannot be used; then the old one stays."""
    now = now or timezone.now()
    if not settings.LICENSE_PUBLIC_KEYS:
        raise _invalid("No licence can be checked: no public key is configured, and nothing is limited.")
    try:
        terms = keys.read(text, settings.LICENSE_PUBLIC_KEYS)
    except keys.BadKey as fault:
        raise _invalid(str(fault)) from None
    if terms.expired(now):
        raise _invalid("The licence has expired already.")
    before = _standing(_locked(), now)
    token = encrypt("".join(text.split()), context=CONTEXT)
    Licence.objects.filter(pk=ONLY).update(key=token, installed_at=now)
    after = standing(now=now)
    record(
        actor=actor,
        action="UPDATE",
        resource="licence",
        resource_id=terms.kid,
        request=request,
        before=_facts(before),
        after=_facts(after),
    )
    return after


def check_monitors(*, now: datetime | None = None) -> None:
    """Raise Forbidden when no monitor may be added. Holds the licence's row until the transaction ends."""
    _check("monitor", Monitor.objects.count, "monitor_limit", now)


def check_agents(*, now: datetime | None = None) -> None:
    """Raise Forbidden when no agent may be added beside `default`; locks as above."""
    _check("agent", Agent.objects.current().exclude(pk=DEFAULT).count, "agent_limit", now)


def check_interval(gap_s: int) -> None:
    """Raise Forbidden for a schedule that fires more often than the licence allows."""
    least = standing().min_interval_s
    if least and gap_s < least:
        sentence = f"The shortest gap of the schedule is {gap_s} s; the licence allows no less than {least} s."
        raise _limit(sentence, minIntervalSeconds=least)


def limit_reached() -> str | None:
    """A sentence for everybody when no monitor can be added any more; None otherwise."""
    now = standing()
    if now.status == "expired":
        return "The licence has expired: monitors run on, new ones cannot be created."
    if now.monitor_limit is not None and (used := Monitor.objects.count()) >= now.monitor_limit:
        return f"The licence's limit is reached: {used} of {now.monitor_limit} monitors."
    return None


def _check(noun: str, count: Any, limit_name: str, now: datetime | None) -> None:
    if not settings.LICENSE_PUBLIC_KEYS:
        return
    here = _standing(_locked(), now or timezone.now())
    limit, used = getattr(here, limit_name), count()
    facts = {f"{noun}Limit": limit, f"{noun}sUsed": used}
    if here.status == "expired":
        raise _limit(f"The licence has expired. Existing {noun}s go on; a new one needs a new licence.", **facts)
    if limit is not None and used >= limit:
        raise _limit(f"The licence allows {limit} {noun}s, and there are {used}.", **facts)


def _locked() -> Licence:
    """The row, locked; made if it is missing."""
    Licence.objects.get_or_create(pk=ONLY)
    return Licence.objects.select_for_update().get(pk=ONLY)


def _limit(sentence: str, **facts: Any) -> Forbidden:
    return Forbidden(sentence, code="license_limit", facts=facts)


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, details={"licenseKey": [sentence]})


def _facts(here: Standing) -> dict[str, Any]:
    return {"tier": here.tier, "monitor_limit": here.monitor_limit, "valid_until": here.valid_until}
