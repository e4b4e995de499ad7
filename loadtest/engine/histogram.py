"""Histograms of times in microseconds: log-linear, three significant digits, the cells of HdrHistogram.

A histogram is a list of counts, as long as the part in use. Exact up to 2,047 µs, then 1,024 cells for each power of
two: what HdrHistogram(1, 3_600_000_000, 3) keeps, in the same order, so both say the same percentiles.
"""

import operator
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

BUCKETS = 32_768
_ZEROS = memoryview(bytes(8 * BUCKETS))


def bucket(us: int) -> int:
    """The place of a time. The hot loop holds a copy of these lines: a call costs more than they do."""
    if us > 2047:
        shift = us.bit_length() - 11
        us = (shift << 10) + (us >> shift)
        if us >= BUCKETS:
            return BUCKETS - 1
    return us


def lowest_us(index: int) -> int:
    """The smallest time that falls into this bucket."""
    return index if index < 2048 else ((index & 1023) + 1024) << ((index >> 10) - 1)


def highest_us(index: int) -> int:
    """The largest time that falls into this bucket: what HdrHistogram reports as a percentile."""
    return lowest_us(index + 1) - 1


def used(cells: memoryview) -> list[int]:
    """The cells without the empty end: ticks look at them many times a second, and most are short."""
    raw = bytes(cells)
    cut = next((count for count in range(2048, BUCKETS, 1024) if raw.endswith(_ZEROS[8 * count :])), BUCKETS)
    return cells[:cut].tolist()


def add(histograms: Iterable[Sequence[int]]) -> list[int]:
    """The sum of histograms."""
    total: list[int] = []
    for histogram in histograms:
        short, long = sorted((total, list(histogram)), key=len)
        total = list(map(operator.add, short, long)) + long[len(short) :]
    return total


def sparse(histogram: Sequence[int]) -> list[int]:
    """Place, count, place, count…, of the cells that hold something: short, and fit for JSON."""
    return [number for index, count in enumerate(histogram) if count for number in (index, count)]


def dense(pairs: Sequence[int]) -> list[int]:
    """The histogram that `sparse` was made from."""
    cells = [0] * (pairs[-2] + 1 if pairs else 0)
    for index, count in zip(pairs[::2], pairs[1::2], strict=True):
        cells[index] = count
    return cells


def percentiles(histogram: Sequence[int], shares: Sequence[float]) -> list[int]:
    """Times in µs below or at which that share (0 to 100) of the values lies. All 0 for an empty histogram.

    contract: load testing §14.3. Times under 1 µs count as 1 µs.
    """
    running = list(accumulate(histogram))
    if not running or not running[-1]:
        return [0] * len(shares)
    ranks = (max(1, int(share / 100 * running[-1] + 0.5)) for share in shares)
    return [max(1, highest_us(bisect_left(running, rank))) for rank in ranks]


def extremes(histogram: Sequence[int]) -> tuple[int, int]:
    """The smallest and the largest time in µs, (0, 0) for an empty histogram."""
    filled = [index for index, count in enumerate(histogram) if count]
    return (max(1, lowest_us(filled[0])), max(1, highest_us(filled[-1]))) if filled else (0, 0)
