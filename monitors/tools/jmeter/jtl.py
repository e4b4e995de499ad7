"""JMeter's result file: CSV with a row a sample (contract: monitors §8.3).

Columns are found by the header's names. JMeter 2.13 without our flags writes no header and twelve columns.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

from monitors.tools.samples import Samples

HEADERLESS = (
    *("timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName"),
    *("dataType", "success", "bytes", "grpThreads", "allThreads", "Latency"),
)
NEEDED = ("timeStamp", "elapsed", "success")
TRANSACTION = "Number of samples in transaction"
POLL_EVERY = 10_000  # rows
_LONGEST_LINE = 1 << 20


class BadResult(Exception):
    """The file is none of JMeter's CSV results; the text tells why."""


@dataclass
class Table:
    """What a result file holds: its samples, and the seconds from the first start to the last end."""

    samples: Samples
    first_ms: float = float("inf")
    last_ms: float = float("-inf")

    def add(self, at_ms: int, took_ms: int, ok: bool) -> None:
        self.samples.add(took_ms, ok)
        self.first_ms, self.last_ms = min(self.first_ms, at_ms), max(self.last_ms, at_ms + took_ms)

    @property
    def elapsed_s(self) -> float:
        return (self.last_ms - self.first_ms) / 1000 if self.samples.count else 0.0


def read(file: TextIO, t_ms: float, *, cut_off: bool = False, poll: Callable[[], None] = lambda: None) -> Table:
    """The samples of a file opened with `newline=""`. Raises BadResult naming line and column.

    A transaction repeats the requests in it, so its row is left out, unless the file has transactions only (a plan
    that generates parent samples). `cut_off` forgives a last row that is not whole: the program was killed.
    `poll` is called now and then.
    """
    requests, transactions = Table(Samples(t_ms)), Table(Samples(t_ms))
    rows = _rows(file)
    columns, first = _columns(rows)
    places = [columns.index(name) for name in NEEDED]
    message = columns.index("responseMessage") if "responseMessage" in columns else None
    fault: BadResult | None = None
    for number, (line, row) in enumerate(_chain(first, rows)):
        if fault:
            raise fault
        if number % POLL_EVERY == 0:
            poll()
        try:
            at_ms, took_ms, ok = _sample(row, places, line, len(columns))
        except BadResult as error:
            fault = error  # raised by the next row, or below
            continue
        is_transaction = message is not None and row[message].startswith(TRANSACTION)
        (transactions if is_transaction else requests).add(at_ms, took_ms, ok)
        if requests.samples.count and transactions.samples.count:
            transactions = Table(Samples(t_ms))  # not needed any more; do not keep them in memory
    if fault and not cut_off:
        raise fault
    return requests if requests.samples.count else transactions


Row = tuple[int, list[str]]


def _rows(file: TextIO) -> Iterator[Row]:
    """Each row with the number of its last line. No line is read beyond a bound."""
    reader = csv.reader(iter(lambda: file.readline(_LONGEST_LINE), ""))
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadResult(f"Line {reader.line_num} of the result file cannot be read: {error}.") from None
        if row:
            yield reader.line_num, row


def _columns(rows: Iterator[Row]) -> tuple[tuple[str, ...], Row | None]:
    """The names of the columns, and the first row when that was no header."""
    line, row = next(rows, (0, []))
    if not row:
        return HEADERLESS, None
    if row[0].lstrip("\ufeff").startswith("<"):
        raise BadResult("The result file is XML, not CSV: a setting inside the plan has changed its form.")
    if row[0].isdigit():
        if len(row) != len(HEADERLESS):
            raise BadResult(
                f"The result file has no header, and {len(row)} columns instead of the {len(HEADERLESS)} of that form."
            )
        return HEADERLESS, (line, row)
    names = tuple(name.strip().lstrip("\ufeff") for name in row)
    if missing := [name for name in NEEDED if name not in names]:
        raise BadResult(f"The result file lacks the column {' and the column '.join(missing)}.")
    return names, None


def _chain(first: Row | None, rest: Iterator[Row]) -> Iterator[Row]:
    if first:
        yield first
    yield from rest


def _sample(row: list[str], places: list[int], line: int, width: int) -> tuple[int, int, bool]:
    """Start in ms since 1970, time taken in ms, and whether it succeeded."""
    where = f"Line {line} of the result file cannot be read"
    if len(row) < width:
        raise BadResult(f"{where}: it has {len(row)} of {width} columns.")
    values = [row[place].strip() for place in places]
    for name, value in zip(("timeStamp", "elapsed"), values, strict=False):
        if not (value.isascii() and value.isdigit() and len(value) < 16):
            raise BadResult(f"{where}: {name} is '{value[:40]}', not a number of milliseconds.")
    if values[2].lower() not in ("true", "false"):
        raise BadResult(f"{where}: success is '{values[2][:40]}', neither true nor false.")
    return int(values[0]), int(values[1]), values[2].lower() == "true"
