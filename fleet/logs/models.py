"""The tables of logs (contract: fleet console §8, §34.2). They are made by SQL in the migration."""

from enum import IntEnum

from config.timeseries import Table


class Level(IntEnum):
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40


class Source(IntEnum):
    AGENT = 1
    EXTENSION = 2
    BUILD = 3
    APP = 4
    SYSTEM = 5


# `ts` has whole milliseconds, and the id tells them: an entry is found by its id without an index on it.
ENTRIES = Table(
    "log_entry",
    {
        "id": "text",
        "ts": "time",
        "instance_id": "text",
        "level": "smallint",
        "source": "smallint",
        "message": "text",
        "metadata": "json",
        "deployment_id": "text",
    },
    key=("ts", "id"),
    required=("instance_id", "level", "source", "message"),
    indexes=(("instance_id", "ts", "id"),),
    search="message",
)

# How many lines came in an hour: statistics and totals read this and not a million lines. `ts` is the hour's start.
COUNTS = Table(
    "log_count",
    {"ts": "time", "instance_id": "text", "level": "smallint", "source": "smallint", "n": "bigint"},
    key=("ts", "instance_id", "level", "source"),
    required=("n",),
)
TABLES = (ENTRIES, COUNTS)
