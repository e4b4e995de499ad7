"""The chain of seals: extending it and cutting its old end; `walking` proves that nobody touched it.

Each seal is an HMAC-SHA256 over an entry and the seal before it, with a key derived from the product's secret: who
can write to the database alone can change nothing unseen. One thing is out of reach of any log that lives in one
database: putting back an older copy of the whole of it.
"""

import hmac
import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from itertools import takewhile
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from security.audit.models import AuditEntry, AuditHead

log = logging.getLogger(__name__)
SLICE = 500
CONTENT = (
    "id", "user_id", "user_email", "user_name", "team_id", "action", "resource", "resource_id", "metadata",
    "ip_address", "user_agent", "at",
)  # fmt: skip
_as_json = json.JSONEncoder(sort_keys=True).encode


def mark(entry: AuditEntry) -> str:
    """What an entry carries until it is chained: proof that the product wrote it."""
    return seal_of([None, *_of(entry)])


def sealed(entry: AuditEntry, number: int, before: str) -> str:
    """The seal of an entry in its place in the chain, after the entry whose seal is `before`."""
    return seal_of([before, number, *_of(entry)])


def seal_pending() -> None:
    """Chain every committed entry that is not yet, oldest first; safe from any number of processes at once.

    An entry whose mark is wrong was not written by the product, or changed since. It stays out and `verify` tells.
    """
    while pending().exists():
        # The head is read first: if anybody seals in between, it has moved and the update below hits nothing.
        head = AuditHead.objects.get_or_create(pk=1, defaults={"head_seal": head_seal(AuditHead())})[0]
        waiting = [row for row in pending()[:SLICE] if hmac.compare_digest(row.seal or "", mark(row))]
        if not waiting:
            return
        number, seal = head.last_number, head.last_seal
        for entry in waiting:
            number += 1
            seal = sealed(entry, number, seal)
            entry.number, entry.seal = number, seal
        try:
            with transaction.atomic():
                if _move(head, last_number=number, last_seal=seal):
                    AuditEntry.objects.bulk_update(waiting, ["number", "seal"], batch_size=100)
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


def pending() -> QuerySet[AuditEntry]:
    """Entries that wait for their place in the chain, oldest first."""
    return AuditEntry.objects.filter(number=None).order_by("at", "id")


def _move(head: AuditHead, **ends: Any) -> bool:
    """Move the ends of the chain unless another process has moved them since `head` was read."""
    seen = {name: getattr(head, name) for name in ("first_number", "last_number")}
    for name, value in ends.items():
        setattr(head, name, value)
    ends["head_seal"] = head_seal(head)
    return bool(AuditHead.objects.filter(pk=1, **seen).update(**ends))


def head_seal(head: AuditHead) -> str:
    """What proves that the product itself moved the ends last."""
    return seal_of([head.first_number, head.first_seal, head.last_number, head.last_seal])


def content(values: Iterable[Any]) -> list[Any]:
    """What a seal covers: the values of the columns CONTENT, the time (the last of them) in one fixed form."""
    *plain, at = values
    return [*plain, at.astimezone(UTC).isoformat(timespec="microseconds")]


def seal_of(fields: list[Any], key: bytes | None = None) -> str:
    """HMAC-SHA256 in hex over the fields as JSON. Who makes many asks for the key once."""
    return hmac.digest(key or sealing_key(), _as_json(fields).encode(), "sha256").hex()


def sealing_key() -> bytes:
    """It follows from the product's secret."""
    return sha256(b"pharos.audit" + settings.SECRET_KEY.encode()).digest()


def _of(entry: AuditEntry) -> list[Any]:
    return content(getattr(entry, name) for name in CONTENT)
