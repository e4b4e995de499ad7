"""Right-sizing over 10,000 running instances with 30 days of roll-ups: 300,000 of days and 7.2 million of hours."""

import resource
import time
from datetime import datetime, timedelta

GIB = 2**30
DAYS = 30
COLUMNS = "resolution, subject_kind, subject_id, ts, n, cpu_pct_avg, mem_pct_avg, mem_used_avg, mem_used_max"


def make_usage(today: datetime) -> int:
    """Roll-ups of every running instance: half of them calm; how many running instances there are. For PostgreSQL."""
    from django.db import connection

    from fleet.instances.models import Instance

    running = "SELECT id, row_number() OVER (ORDER BY id) AS place FROM fleet_instance WHERE status = 'RUNNING'"
    replaced = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS.split(", ")[4:])
    for resolution, step, samples in ((1440, "1 day", 2880), (60, "1 hour", 120)):
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO metric_rollup ({COLUMNS}) "  # noqa: S608 - names from here
                "SELECT %s, 0, id, ts, %s, 10 + 60 * (place %% 2), 20 + place %% 10, %s, %s "
                f"FROM ({running}) machines, generate_series(%s::timestamptz, %s::timestamptz, %s::interval) ts "
                f"ON CONFLICT (resolution, subject_kind, subject_id, ts) DO UPDATE SET {replaced}",
                [resolution, samples, GIB, 2 * GIB, today - timedelta(days=DAYS), today - timedelta(hours=1), step],
            )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE metric_rollup")
    return Instance.objects.filter(status="RUNNING").count()


def passing(now: datetime) -> tuple[float, float, int]:
    """Seconds of one pass, the MiB by which this process grew in it at most, and how many could be smaller."""
    from costs.rightsizing.services import analyze

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    outcome = analyze(now=now)
    took = time.perf_counter() - started
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return took, grown / 1024, outcome.generated
