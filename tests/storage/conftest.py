"""Both databases in one run: SQLite always, PostgreSQL when DATABASE_URL names one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from config import timeseries
from config.timeseries import Table

SPARE = "spare"
PLAIN = Table(
    "probe_plain",
    {"subject": "text", "ts": "time", "load": "real", "size": "bigint", "extra": "json"},
    key=("subject", "ts"),
)
SPLIT = Table(
    "probe_split",
    {"resolution": "smallint", "subject": "text", "ts": "time", "n": "integer", "load": "double"},
    key=("resolution", "subject", "ts"),
    split=("resolution", {5: "day", 60: "month"}),
    required=("n",),
)
SEARCHED = Table(
    "probe_searched",
    {"id": "text", "ts": "time", "subject": "text", "message": "text"},
    key=("ts", "id"),
    indexes=(("subject", "ts", "id"),),
    search="message",
)
TABLES = (PLAIN, SPLIT, SEARCHED)


@pytest.fixture(params=["sqlite", "postgresql"])
def using(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any, tmp_path: Path
) -> Iterator[str]:
    """The alias of a database of that vendor, with tables of its own; they are all that a test touches."""
    wanted, default = request.param, connections[DEFAULT_DB_ALIAS]
    if wanted == "postgresql" != default.vendor:
        pytest.skip("DATABASE_URL names no PostgreSQL")
    with django_db_blocker.unblock():
        alias = DEFAULT_DB_ALIAS if wanted == default.vendor else _spare(tmp_path / "spare.sqlite3")
        for table in TABLES:
            timeseries.create(table, using=alias)
        yield alias
        for table in TABLES:
            timeseries.remove(table, using=alias)
        connections[alias].close()
        if alias == SPARE:
            del connections[SPARE]
            del connections.databases[SPARE]


def _spare(path: Path) -> str:
    options: dict[str, Any] = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"}
    # What a test database would be needs no entry: this file is made for one test.
    connections.databases[SPARE] = connections.databases[DEFAULT_DB_ALIAS] | {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": options,
        "CONN_HEALTH_CHECKS": False,
        "CONN_MAX_AGE": 0,
    }
    return SPARE
