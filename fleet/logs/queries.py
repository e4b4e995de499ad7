"""Reads of log lines (contract: fleet console §8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from config import timeseries
from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound
from config.ids import moment_of
from config.timeseries import Query, rows_of
from fleet.instances.models import Instance
from fleet.logs.entries import EPOCH, MILLISECOND, Entry
from fleet.logs.models import ENTRIES, Level, Source

COLUMNS = "id, ts, instance_id, level, source, message, metadata, deployment_id"
SUBSTRING_REACH = 10_000  # newest lines in which text is looked for as it is; words are found in all
MOST_COUNTED = 10_000
MOST_MISSED = 1000


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a reader asks for; `since` and `until` are inclusive. `instance_id` None means all that are visible."""

    instance_id: str | None = None
    levels: tuple[Level, ...] = ()
    sources: tuple[Source, ...] = ()
    deployment_id: str | None = None
    search: str = ""
    phrases: tuple[str, ...] = ()  # each must occur as it is, in any case
    since: datetime | None = None
    until: datetime | None = None

    def bounds(self) -> Query:
        """The condition on time alone."""
        parts = [("ts >= %s", self.since), ("ts <= %s", self.until)]
        return _all_of([Query(sql, [value]) for sql, value in parts if value is not None])


@dataclass(frozen=True)
class Page:
    """Lines, newest first. `exact` is False when `total` stands for "at least so many"."""

    entries: list[Entry]
    total: int
    exact: bool = True


def scope(filters: Filters, principal: Principal | None) -> Query:
    """The condition on everything but time and words: columns that lines and counts have in common."""
    parts = []
    if filters.instance_id is not None:
        parts.append(Query("instance_id = %s", [filters.instance_id]))
    if principal is None or principal.instance_id or not principal.sees_all:
        sql, params = Instance.objects.visible_to(principal).values("pk").query.sql_with_params()
        parts.append(Query(f"instance_id IN ({sql})", params))
    for column, values in (("level", filters.levels), ("source", filters.sources)):
        if values:
            parts.append(Query(f"{column} IN ({', '.join(['%s'] * len(values))})", [int(value) for value in values]))
    return _all_of(parts)


def lines(filters: Filters, principal: Principal | None) -> Query:
    """The condition on lines: words occur by their stems, or the text as it is in the newest 10,000 of the others."""
    parts = [scope(filters, principal), filters.bounds()]
    if filters.deployment_id is not None:
        parts.append(Query("deployment_id = %s", [filters.deployment_id]))
    base = _all_of(parts)
    if not (filters.search or filters.phrases):
        return base
    oldest = _reach(base)
    found = [_found(filters.search, oldest)] if filters.search else []
    for phrase in filters.phrases:
        found += [_found(phrase, oldest), timeseries.containing("message", phrase)]
    return _all_of([base, *found])


def _found(search: str, oldest: datetime | None) -> Query:
    """The words occur, or the text does in lines that are not older."""
    text = timeseries.containing("message", search)
    if oldest is not None:
        text = _all_of([Query("ts >= %s", [oldest]), text])
    words = timeseries.matching(ENTRIES, search)
    return Query(f"({words.sql} OR ({text.sql}))", [*words.params, *text.params]) if words else text


def page(
    filters: Filters,
    principal: Principal | None,
    *,
    offset: int,
    limit: int,
    total: int | None = None,
    before: str = "",
) -> Page:
    """A page of lines, of those before a line if one is named.

    `total` counts all, wherever the page is; if the caller knows it from counts, it is not counted again.
    """
    condition = lines(filters, principal)
    exact = True
    if total is None:
        if not offset and not before:  # a first page that is not full has told how many there are
            listed = _listed(condition, limit)
            if len(listed) < limit:
                return Page(listed, len(listed))
        total = _count(condition)
        exact = total <= MOST_COUNTED
        total = min(total, MOST_COUNTED)
        if not offset and not before:
            return Page(listed, total, exact)
    if offset >= total:
        return Page([], total, exact)
    return Page(_listed(_all_of([condition, _beside(before, "<")]), limit, offset), total, exact)


def _count(condition: Query) -> int:
    """How many lines; at most one more than are ever counted."""
    some = f"SELECT 1 FROM {ENTRIES.name} WHERE {condition.sql} LIMIT {MOST_COUNTED + 1}"  # noqa: S608
    return rows_of(Query(f"SELECT count(*) FROM ({some}) AS f", condition.params))[0][0]  # noqa: S608


def older(filters: Filters, principal: Principal | None, *, before: str = "", limit: int) -> list[Entry]:
    """The newest lines, of those before a line if one is named; newest first, and nothing is counted."""
    return _listed(_all_of([lines(filters, principal), _beside(before, "<")]), limit)


def newer(filters: Filters, principal: Principal | None, *, after: str, limit: int) -> list[Entry]:
    """The first lines after a line, newest first."""
    condition = _all_of([lines(filters, principal), _beside(after, ">")])
    return _listed(condition, limit, order="ASC")[::-1]


def among(filters: Filters, principal: Principal | None, ids: Sequence[str]) -> list[Entry]:
    """The lines with these ids that pass, newest first; other ids are passed over."""
    moments = {EPOCH + ms * MILLISECOND for ms in map(moment_of, ids) if ms is not None}
    if not moments:
        return []
    places = f"ts IN ({', '.join(['%s'] * len(moments))}) AND id IN ({', '.join(['%s'] * len(ids))})"
    return _listed(_all_of([lines(filters, principal), Query(places, [*moments, *ids])]), len(ids))


def one(entry_id: str, principal: Principal | None) -> Entry:
    """The line with that id. Raises NotFound, also for lines of invisible instances."""
    ms = moment_of(entry_id)
    if ms is not None:
        condition = _all_of(
            [scope(Filters(), principal), Query("ts = %s AND id = %s", [EPOCH + ms * MILLISECOND, entry_id])]
        )
        sql = f"SELECT {COLUMNS} FROM {ENTRIES.name} WHERE {condition.sql}"  # noqa: S608
        if found := _entries(Query(sql, condition.params)):
            return found[0]
    raise NotFound(f"Log '{entry_id}' not found")


def after(entry_id: str, instance_ids: Sequence[str]) -> list[Entry]:
    """What came to these instances after a line, oldest first; at most 1,000, the newest of them."""
    ms = moment_of(entry_id)
    if ms is None or not instance_ids:
        return []
    at = EPOCH + ms * MILLISECOND
    sql = (
        f"SELECT {COLUMNS} FROM {ENTRIES.name} WHERE instance_id IN ({', '.join(['%s'] * len(instance_ids))}) "  # noqa: S608
        f"AND ts >= %s AND (ts, id) > (%s, %s) ORDER BY ts DESC, id DESC LIMIT {MOST_MISSED}"
    )
    return _entries(Query(sql, [*instance_ids, at, at, entry_id]))[::-1]


def _beside(entry_id: str, sign: str) -> Query:
    """The condition on lines before (`<`) or after (`>`) a line; all, when none is named. Raises Malformed."""
    if not entry_id:
        return Query("1 = 1")
    ms = moment_of(entry_id)
    if ms is None:
        raise Malformed("This is not the id of a line")
    at = EPOCH + ms * MILLISECOND
    return Query(f"ts {sign}= %s AND (ts, id) {sign} (%s, %s)", [at, at, entry_id])


def _listed(condition: Query, limit: int, offset: int = 0, order: str = "DESC") -> list[Entry]:
    sql = (
        f"SELECT {COLUMNS} FROM {ENTRIES.name} WHERE {condition.sql} "  # noqa: S608
        f"ORDER BY ts {order}, id {order} LIMIT %s OFFSET %s"
    )
    return _entries(Query(sql, [*condition.params, limit, offset]))


def _reach(base: Query) -> datetime | None:
    """The moment of the oldest line in which text is looked for as it is; None when that is all."""
    sql = f"SELECT ts FROM {ENTRIES.name} WHERE {base.sql} ORDER BY ts DESC, id DESC LIMIT 1 OFFSET {SUBSTRING_REACH}"  # noqa: S608
    found = rows_of(Query(sql, base.params), times=[0])
    return found[0][0] if found else None


def _all_of(parts: Sequence[Query]) -> Query:
    parts = [part for part in parts if part.sql != "1 = 1"]
    if not parts:
        return Query("1 = 1")
    return Query(" AND ".join(part.sql for part in parts), [value for part in parts for value in part.params])


def _entries(query: Query) -> list[Entry]:
    return [_entry(*row) for row in rows_of(query, times=[1])]


def _entry(
    id: str,
    at: datetime,
    instance_id: str,
    level: int,
    source: int,
    message: str,
    metadata: Any,
    deployment: str | None,
) -> Entry:
    metadata = msgspec.json.decode(metadata) if isinstance(metadata, str) else metadata
    return Entry(id, at, instance_id, Level(level), Source(source), message, metadata, deployment)
