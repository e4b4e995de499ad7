"""Points of time as text, from Unix nanoseconds (contract: signals §9.1)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=64)
def _to_the_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").zfill(19)


def rfc3339(timestamp_ns: int) -> str:
    """`2026-09-21T14:13:20.123Z`."""
    milliseconds = timestamp_ns // 1_000_000
    return f"{_to_the_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


def rfc3339_texts(timestamps_ns: Iterable[int]) -> list[str]:
    return [rfc3339(one) for one in timestamps_ns]


def millisecond_texts(timestamps_ns: Iterable[int]) -> list[str]:
    return [str(one // 1_000_000) for one in timestamps_ns]


def nanosecond_texts(timestamps_ns: Iterable[int]) -> list[str]:
    return [str(one) for one in timestamps_ns]
