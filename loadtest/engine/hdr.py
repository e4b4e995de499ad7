"""HdrHistogram's portable form, version 2, compressed: what its readers in any language take.

The format: https://github.com/HdrHistogram/HdrHistogram, AbstractHistogram.encodeIntoCompressedByteBuffer. Its cells
are in the order of ours (see histogram.py), so there is nothing to convert.
"""

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence
from itertools import groupby

from loadtest.engine.histogram import bucket

HOUR_US = 3_600_000_000
DIGITS = 3
_COOKIE, _COMPRESSED = 0x1C849303 | 0x10, 0x1C849304 | 0x10
_HEADER = struct.Struct(">iiiiqqd")  # cookie, length, offset, digits, lowest, highest, ratio
_LAST = bucket(HOUR_US)


def encoded(histogram: Sequence[int]) -> str:
    """The histogram in base64: microseconds from 1 µs to 1 h, three digits. contract: load testing §14.3."""
    counts = [0, *histogram[1:_LAST], sum(histogram[_LAST:])] if len(histogram) > _LAST else [0, *histogram[1:]]
    counts += [0] * (2 - len(counts))
    counts[1] += histogram[0] if histogram else 0  # below 1 µs counts as 1 µs
    while len(counts) > 2 and not counts[-1]:
        counts.pop()
    cells = bytearray()
    for empty, group in groupby(counts, key=lambda count: not count):
        run = list(group)
        for number in [-len(run)] if empty else run:
            cells += _zigzag(number)
    head = _HEADER.pack(_COOKIE, len(cells), 0, DIGITS, 1, HOUR_US, 1.0)
    packed = zlib.compress(head + cells)
    return b64encode(struct.pack(">ii", _COMPRESSED, len(packed)) + packed).decode()


def _zigzag(number: int) -> bytes:
    """ZigZag LEB128 of at most nine bytes: small numbers of either sign are short."""
    left = (number << 1) ^ (number >> 63)
    made = bytearray()
    while left > 0x7F and len(made) < 8:
        made.append(left & 0x7F | 0x80)
        left >>= 7
    made.append(left & 0xFF)
    return bytes(made)
