"""What samples of the last minutes tell: the range they lie in, and how the time before ended."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from config import timeseries
from config.timeseries import Column, Query, group, largest, last
from fleet.metrics.models import REALS, SAMPLES

MOST_IDS = 5_000  # parameters of one statement; SQLite takes 32,766. Beyond it everyone is read
MOST_WINDOWS = 50  # parts of one statement; SQLite takes 500
LOOK_BACK = timedelta(seconds=60)  # two reports of an agent that speaks each 30 s
TICK = timedelta(microseconds=1)


class Span(NamedTuple):
    """One figure of one instance over a window: its first and newest sample, the lowest and highest value (None in an
    empty window), and the newest sample within LOOK_BACK before it, which tells how the window began."""

    first_at: datetime | None
    newest_at: datetime | None
    lowest: float | None
    highest: float | None
    before_at: datetime | None
    before: float | None


Key = tuple[int, str, str]  # seconds of the window, column of the samples, instance id


def spans(windows: Mapping[int, Iterable[str]], ids: Collection[str], *, until: datetime) -> dict[Key, Span]:
    """For each window (in seconds until `until`) and each of its columns the spans of the instances.

    One that did not report lately is missing. One statement for up to 50 windows, whatever the number of instances.
    """
    columns = sorted({column for wanted in windows.values() for column in wanted})
    if unknown := set(columns) - set(REALS):
        raise ValueError(f"{', '.join(unknown)}: no figure of a sample")
    lengths, found = sorted(windows), {}
    for start in range(0, len(lengths), MOST_WINDOWS):
        selects = [_select(length, columns, ids, until) for length in lengths[start : start + MOST_WINDOWS]]
        whole = Query(
            " UNION ALL ".join(f"SELECT * FROM ({select.sql}) AS w{place}" for place, select in enumerate(selects)),  # noqa: S608
            [param for select in selects for param in select.params],
        )
        times = [2, *(3 + 6 * place + offset for place in range(len(columns)) for offset in (0, 1, 4))]
        for length, instance_id, _, *values in timeseries.rows_of(whole, times=times):
            for place, column in enumerate(columns):
                span = Span(*values[6 * place : 6 * place + 6])
                if span.first_at is not None or span.before_at is not None:
                    found[length, column, instance_id] = span
    return found


def _select(length_s: int, columns: list[str], ids: Collection[str], until: datetime) -> Query:
    since = until - timedelta(seconds=length_s)
    inner = f"SELECT instance_id, ts{', '.join(['', *_parts(columns)])} FROM {SAMPLES.name}"  # noqa: S608
    params: list = [since, since, since, since] * len(columns)
    bounds = " WHERE ts >= %s AND ts <= %s"
    params += [since - LOOK_BACK, until]
    if len(ids) <= MOST_IDS:
        bounds += f" AND instance_id IN ({', '.join(['%s'] * len(ids))})"
        params += ids
    wanted: dict[str, Column] = {
        "length": Column("const", length_s),
        "instance_id": group("instance_id"),
        "newest": largest("ts"),
    }
    for column in columns:
        wanted |= {
            f"{column}_first": Column("min", f"{column}_at"),
            f"{column}_newest": largest(f"{column}_at"),
            f"{column}_low": Column("min", f"{column}_in"),
            f"{column}_high": largest(f"{column}_in"),
            f"{column}_before_at": largest(f"{column}_earlier"),
            f"{column}_before": last(f"{column}_was"),
        }
    return timeseries.bucketed(Query(inner + bounds, params), wanted, since=since - LOOK_BACK, until=until + TICK)


def _parts(columns: list[str]) -> Iterator[str]:
    """Each figure taken apart: its moments and values within the window, and those before it."""
    for column in columns:
        yield f"CASE WHEN ts >= %s AND {column} IS NOT NULL THEN ts END AS {column}_at"
        yield f"CASE WHEN ts >= %s THEN {column} END AS {column}_in"
        yield f"CASE WHEN ts < %s AND {column} IS NOT NULL THEN ts END AS {column}_earlier"
        yield f"CASE WHEN ts < %s THEN {column} END AS {column}_was"
