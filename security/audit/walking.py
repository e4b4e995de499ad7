"""Proving that nobody touched the audit log: a walk along the chain of seals in steps, so that it can stop and go on.

Every step reads the record of the ends anew: the log may grow and lose its old end while somebody walks.
"""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db.models import TextField
from django.db.models.functions import Cast

from security.accounts.models import User
from security.audit.chain import (
    CONTENT,
    SLICE,
    content,
    head_seal,
    mark,
    pending,
    seal_of,
    seal_pending,
    sealing_key,
)
from security.audit.models import AuditEntry, AuditHead

STEP = 2000  # entries; less than a tenth of a second
METADATA = CONTENT.index("metadata")
READ = tuple(Cast(name, TextField()) if name == "metadata" else name for name in CONTENT)
QUICK_FIRST = (msgspec.json.decode, json.loads)
TRIES = 5  # a step is made again when the ends of the log moved under it


@dataclass(frozen=True)
class Verdict:
    """What a verification found. `first_bad` is the number of the first entry that is not as it was written."""

    checked: int
    ok: bool
    first_bad: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Place:
    """Where a walk has come to: entries checked, the number it goes on with, and the seal of the one before that."""

    checked: int = 0
    number: int = 0
    seal: str = ""


def verify(*, progress: Callable[[Place], None] | None = None) -> Verdict:
    """Walk the whole chain; the verdict names the first entry that was edited, moved, removed or slipped in.

    `progress` is called after each step.
    """
    found: Place | Verdict = Place()
    while isinstance(found, Place):
        found = step(found)
        if progress and isinstance(found, Place):
            progress(found)
    return found


def length() -> int:
    """How many entries the chain has, by its record of the ends; cheap for any length."""
    head = AuditHead.objects.first()
    return head.last_number - head.first_number + 1 if head else 0


def step(place: Place) -> Place | Verdict:
    """Check the next entries; a new place while there are more, else the verdict."""
    if not place.number:
        seal_pending()
    for _ in range(TRIES):
        head = AuditHead.objects.first()
        if head is None:
            return _without_head()
        found = _step(head, place)
        if isinstance(found, Place) or found.ok:
            return found
        now = AuditHead.objects.first()
        pruned = now is not None and now.first_number != head.first_number
        grown = found.first_bad > head.last_number and now is not None and now.last_number != head.last_number
        if not pruned and not grown:
            return found
    return found


def _step(head: AuditHead, place: Place) -> Place | Verdict:
    if not hmac.compare_digest(head.head_seal, head_seal(head)):
        text = "The record of where the log begins and ends was changed"
        return Verdict(place.checked, False, head.last_number, text)
    expected, seal = place.number, place.seal
    if expected < head.first_number:  # the beginning, or retention has overtaken the walk
        expected, seal = head.first_number, head.first_seal
    if not place.number and (early := _numbered(number__lt=expected)) is not None:
        return Verdict(place.checked, False, early, f"Entry {early} was slipped in before the start")
    checked, key = place.checked, sealing_key()
    # Bounded at both ends, so that no planner thinks of reading and sorting all the rest of the log.
    until = min(head.last_number, expected + STEP - 1)
    rows = AuditEntry.objects.filter(number__gte=expected, number__lte=until).order_by("number")
    for number, stored, *values in rows.values_list("number", "seal", *READ):
        if number > expected:
            return Verdict(checked, False, expected, f"Entry {expected} is missing")
        if not _fits(stored or "", seal, expected, values, key):
            return Verdict(checked, False, expected, f"Entry {expected} was changed, or stands in another's place")
        seal = stored
        expected += 1
        checked += 1
    if expected <= until and _numbered(number__gt=until, number__lte=head.last_number) is not None:
        return Verdict(checked, False, expected, f"Entry {expected} is missing")
    if until < expected <= head.last_number:
        return Place(checked, expected, seal)
    return _end(head, Place(checked, expected, seal))


def _fits(stored: str, before: str, number: int, values: list[Any], key: bytes) -> bool:
    """Whether a row is what its seal says. A metadata that the quick reader reads in another way gets a second look."""
    text = values[METADATA]
    for read in QUICK_FIRST:
        try:
            values[METADATA] = None if text is None else read(text)
        except (msgspec.MsgspecError, ValueError):
            continue
        if hmac.compare_digest(stored, seal_of([before, number, *content(values)], key)):
            return True
    return False


def _end(head: AuditHead, place: Place) -> Verdict:
    """What may be wrong behind the last entry that was read."""
    if place.number <= head.last_number:
        text = f"Entries {place.number} to {head.last_number} are missing: the end of the log was cut"
        return Verdict(place.checked, False, place.number, text)
    if (late := _numbered(number__gt=head.last_number)) is not None:
        return Verdict(place.checked, False, late, f"Entry {late} was slipped in after the end")
    for entry in pending()[:SLICE]:
        if not hmac.compare_digest(entry.seal or "", mark(entry)):
            text = f"An entry that the product did not write waits after entry {head.last_number} (id {entry.id})"
            return Verdict(place.checked, False, place.number, text)
    return Verdict(place.checked, True)


def _numbered(**where: int) -> int | None:
    """The lowest number of the entries that should not be there; None when there are none."""
    return AuditEntry.objects.filter(**where).order_by("number").values_list("number", flat=True).first()


def _without_head() -> Verdict:
    """Nothing was ever sealed; that is well only as long as nothing was ever done."""
    if AuditEntry.objects.exists() or User.objects.filter(kind=User.Kind.PERSON).exists():
        return Verdict(0, False, 1, "The record of where the log begins and ends is missing")
    return Verdict(0, True)
