"""Under which keys the stored secrets lie, and bringing them under the newest one while everything goes on."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, CharField, Count, Value, When
from django.db.models.functions import Substr

from security.vault import columns, keys
from security.vault.columns import Column
from security.vault.crypto import SINGLE_KEY, VERSION, Unreadable, current_prefix, key_id_of, rewrap

BATCH = 500  # rows that are read at once
MOST_ROUNDS = 5  # in which rows are tried again that somebody changed meanwhile
PREFIX_LENGTH = len("v2:00000000:")
OTHER = "other"  # key id of tokens that name none

Progress = Callable[["Report"], None]


@dataclass
class Report:
    """What became of one column: tokens brought under the newest key, and the reasons why others were not, counted.

    `left` counts rows that still hold a token under an older key.
    """

    column: str
    done: int = 0
    left: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def rotate(*, batch: int = BATCH, progress: Progress = lambda report: None) -> list[Report]:
    """Bring every stored token under the newest key. Online: readers and writers go on, nobody waits.

    Each row is one conditional update, so a value that somebody writes meanwhile is never undone; its row is looked
    at again. What cannot be opened stays as it is and is reported.
    """
    return [_rotate(column, batch, progress) for column in columns.registered()]


def standing() -> dict[str, Counter[str]]:
    """By column, how many tokens lie under which key: ids of keys, or `other` for tokens that name none."""
    return {str(column): _standing(column) for column in columns.registered()}


def lacking() -> dict[str, int]:
    """Ids of keys that stored tokens need and that are not configured, with the number of tokens."""
    total: Counter[str] = sum(standing().values(), Counter())
    return {key_id: count for key_id, count in sorted(total.items()) if key_id not in {OTHER, *keys.configured()}}


def _rotate(column: Column, batch: int, progress: Progress) -> Report:
    report = Report(str(column))
    for _ in range(MOST_ROUNDS):
        report.faults.clear()
        if not _round(column, batch, report, progress):
            break
    report.left = sum(1 for row in column.behind().iterator(chunk_size=batch) if _behind(column, row))
    return report


def _round(column: Column, batch: int, report: Report, progress: Progress) -> int:
    """Go once over the rows that are behind; how many of them somebody changed in that moment."""
    changed, last = 0, None
    while True:
        rows = column.behind()
        page = list((rows if last is None else rows.filter(pk__gt=last))[:batch])
        if not page:
            return changed
        for row in page:
            changed += not _renewed(column, row, report)
        last = page[-1].pk
        progress(report)


def _renewed(column: Column, row: Any, report: Report) -> bool:
    """Bring the tokens of a row under the newest key; False when somebody changed the row meanwhile."""
    fresh: dict[str, str] = {}
    for name, token in columns.tokens_in(column, row):
        if token.startswith(current_prefix()):
            continue
        try:
            older = not token.startswith(f"{VERSION}:")
            fresh[token] = rewrap(token, context=column.context(row, name) if older else None)
        except Unreadable as fault:
            report.faults[str(fault)] += 1
    if not fresh:
        return True
    before = getattr(row, column.name)
    same = column.model._default_manager.filter(**{"pk": row.pk, column.name: before})
    if not same.update(**{column.name: columns.replaced(before, fresh)}):
        return False
    report.done += len(fresh)
    return True


def _behind(column: Column, row: Any) -> bool:
    return any(not token.startswith(current_prefix()) for _, token in columns.tokens_in(column, row))


def _standing(column: Column) -> Counter[str]:
    if column.nested:
        rows: Iterable[Any] = column.sealed().iterator(chunk_size=BATCH)
        return Counter(key_id_of(token) or OTHER for row in rows for _, token in columns.tokens_in(column, row))
    named = [
        When(**{f"{column.name}__startswith": f"{form}:"}, then=Substr(column.name, 4, PREFIX_LENGTH - 4))
        for form in (VERSION, SINGLE_KEY)
    ]
    heads = Case(*named, default=Value(OTHER), output_field=CharField())
    counted = column.sealed().order_by().values(_head=heads).annotate(_tokens=Count("*"))
    found: Counter[str] = Counter()
    for row in counted:
        found[row["_head"].rstrip(":")] += row["_tokens"]
    return found
