"""The chain of seals: extending it, cutting its old end, and proving that nobody touched it.

Each seal is an HMAC-SHA256 over an entry and the seal before it, with a key derived from the product's secret: who
can write to the database alone can change nothing unseen. One thing is out of reach of any log that lives in one
database: putting back an older copy of the whole of it.
"""

import hmac
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import takewhile
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from security.accounts.models import User
from security.audit.models import AuditEntry, AuditHead

log = logging.getLogger(__name__)
SLICE = 500
TRIES = 5  # a verification starts again when the ends of the log moved under it
CONTENT = (
    "id", "user_id", "user_email", "user_name", "team_id", "action", "resource", "resource_id", "metadata",
    "ip_address", "user_agent", "at",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What a verification found. `first_bad` is the number of the first entry that is not as it was written."""

    checked: int
    ok: bool
    first_bad: int | None = None
    reason: str = ""


def mark(entry: AuditEntry) -> str:
    """What an entry carries until it is chained: proof that the product wrote it."""
    return _hmac([None, *_content(entry)])


def seal_pending() -> None:
    """Chain every committed entry that is not yet, oldest first; safe from any number of processes at once.

    An entry whose mark is wrong was not written by the product, or changed since. It stays out and `verify` tells.
    """
    while _pending().exists():
        # The head is read first: if anybody seals in between, it has moved and the update below hits nothing.
        head = AuditHead.objects.get_or_create(pk=1, defaults={"head_seal": _head_seal(AuditHead())})[0]
        pending = [row for row in _pending()[:SLICE] if hmac.compare_digest(row.seal, mark(row))]
        if not pending:
            return
        number, seal = head.last_number, head.last_seal
        for entry in pending:
            number += 1
            seal = _hmac([seal, number, *_content(entry)])
            entry.number, entry.seal = number, seal
        try:
            with transaction.atomic():
                if _move(head, last_number=number, last_seal=seal):
                    AuditEntry.objects.bulk_update(pending, ["number", "seal"], batch_size=100)
        except IntegrityError:
            log.error("audit number %s is taken by a row that the product did not write", head.last_number)
            return


def prune(*, before: datetime) -> int:
    """Drop what is older than `before` from the old end; the rest stays verifiable. Returns the number of entries.

    Only an unbroken run from the start goes, so an entry that was dated back takes no other with it.
    """
    dropped = 0
    while head := AuditHead.objects.first():
        rows = AuditEntry.objects.filter(number__gte=head.first_number).order_by("number")
        oldest = rows.values_list("number", "seal", "at")[:SLICE]
        old = list(takewhile(lambda row: row[2] < before, oldest))
        if not old:
            break
        number, seal, _ = old[-1]
        with transaction.atomic():
            if _move(head, first_number=number + 1, first_seal=seal):
                dropped += AuditEntry.objects.filter(number__lte=number).delete()[0]
    return dropped


def verify() -> Verdict:
    """Walk the whole chain; the verdict names the first entry that was edited, moved, removed or slipped in."""
    for _ in range(TRIES):
        seal_pending()
        head = AuditHead.objects.first()
        verdict = _walk(head) if head else _without_head()
        if verdict.ok or head is None:
            return verdict
        now = AuditHead.objects.first()
        pruned = now is not None and now.first_number != head.first_number
        grown = verdict.first_bad > head.last_number and now is not None and now.last_number != head.last_number
        if not pruned and not grown:
            return verdict
    return verdict


def _walk(head: AuditHead) -> Verdict:
    if not hmac.compare_digest(head.head_seal, _head_seal(head)):
        return Verdict(0, False, head.last_number, "The record of where the log begins and ends was changed")
    expected, seal = head.first_number, head.first_seal
    rows = AuditEntry.objects.exclude(number=None).order_by("number")
    for entry in rows.iterator(chunk_size=2000):
        checked = expected - head.first_number
        if entry.number < expected:
            return Verdict(checked, False, entry.number, f"Entry {entry.number} was slipped in before the start")
        if expected > head.last_number:
            return Verdict(checked, False, entry.number, f"Entry {entry.number} was slipped in after the end")
        if entry.number > expected:
            return Verdict(checked, False, expected, f"Entry {expected} is missing")
        seal = _hmac([seal, expected, *_content(entry)])
        if not hmac.compare_digest(entry.seal or "", seal):
            return Verdict(checked, False, expected, f"Entry {expected} was changed, or stands in another's place")
        expected += 1
    checked = expected - head.first_number
    if expected <= head.last_number:
        text = f"Entries {expected} to {head.last_number} are missing: the end of the log was cut"
        return Verdict(checked, False, expected, text)
    for entry in _pending()[:SLICE]:
        if not hmac.compare_digest(entry.seal, mark(entry)):
            text = f"An entry that the product did not write waits after entry {head.last_number} (id {entry.id})"
            return Verdict(checked, False, expected, text)
    return Verdict(checked, True)


def _without_head() -> Verdict:
    """Nothing was ever sealed; that is well only as long as nothing was ever done."""
    if AuditEntry.objects.exists() or User.objects.filter(kind=User.Kind.PERSON).exists():
        return Verdict(0, False, 1, "The record of where the log begins and ends is missing")
    return Verdict(0, True)


def _pending() -> Any:
    return AuditEntry.objects.filter(number=None).order_by("at", "id")


def _ends(head: AuditHead) -> tuple[int, int]:
    return head.first_number, head.last_number


def _move(head: AuditHead, **ends: Any) -> bool:
    """Move the ends of the chain unless another process has moved them since `head` was read."""
    seen = {name: getattr(head, name) for name in ("first_number", "last_number")}
    for name, value in ends.items():
        setattr(head, name, value)
    ends["head_seal"] = _head_seal(head)
    return bool(AuditHead.objects.filter(pk=1, **seen).update(**ends))


def _content(entry: AuditEntry) -> list[Any]:
    values = [getattr(entry, name) for name in CONTENT]
    values[-1] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    return values


def _head_seal(head: AuditHead) -> str:
    return _hmac([head.first_number, head.first_seal, head.last_number, head.last_seal])


def _hmac(fields: list[Any]) -> str:
    key = sha256(b"pharos.audit" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, json.dumps(fields, sort_keys=True).encode(), sha256).hexdigest()
