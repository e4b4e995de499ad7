"""How much of their machines instances used, from roll-ups; samples only for what no roll-up has counted yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config import timeseries
from config.timeseries import Query, group, mean, rows_of, total
from fleet.instances.models import InstanceQuerySet
from fleet.metrics.rollup import floor
from fleet.metrics.sources import Scope, figures

HOUR_S, DAY_S = 3600, 86_400
IN_HOURS = timedelta(days=7)  # a longer time is read from days
PERCENTILE = 0.95


@dataclass(frozen=True)
class Means:
    """Means over some time in percent, of `n` samples; None where nothing was measured."""

    n: int
    cpu: float | None
    memory: float | None


def means(instances: InstanceQuerySet, *, since: datetime, until: datetime) -> dict[str, Means]:
    """By id; who sent no sample in that time is missing. One read."""
    step_s = HOUR_S if until - since <= IN_HOURS else DAY_S
    names = ("cpu_pct_avg", "mem_pct_avg")
    source = figures(Scope.instances(instances), names, since=since, until=until, step_s=step_s, now=until)
    columns = {"subject_id": group("subject_id"), "n": total("n")} | {name: mean(name, "n") for name in names}
    rows = rows_of(timeseries.bucketed(source, columns, since=since, until=until))
    return {subject_id: Means(int(n), cpu, memory) for subject_id, n, cpu, memory in rows}


def memory_p95(instances: InstanceQuerySet, *, since: datetime, until: datetime) -> dict[str, float]:
    """By id the 95th percentile of memory in use, in bytes: of the highest of each hour, weighed with its samples.

    One read that the database sorts by itself; ask for some hundred instances at once.
    """
    since = floor(since, 60)
    source = figures(Scope.instances(instances), ["mem_used_max"], since=since, until=until, step_s=HOUR_S, now=until)
    ranked = (
        "SELECT subject_id, mem_used_max AS used, SUM(n) OVER (PARTITION BY subject_id) AS whole, "  # noqa: S608
        "SUM(n) OVER (PARTITION BY subject_id ORDER BY mem_used_max ROWS UNBOUNDED PRECEDING) AS upto "
        f"FROM ({source.sql}) AS source WHERE mem_used_max IS NOT NULL"
    )
    sql = f"SELECT subject_id, MIN(used) FROM ({ranked}) AS ranked WHERE upto >= %s * whole GROUP BY subject_id"  # noqa: S608
    return {subject_id: float(used) for subject_id, used in rows_of(Query(sql, [*source.params, PERCENTILE]))}
