"""A piece of a series as a collector sends it, and the rules that it must keep."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from django.conf import settings

from fleet.agents.reports import cleaned
from fleet.collectors.models import Kind
from fleet.collectors.refusals import Refused

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=10)  # a clock may be so far ahead of ours
LONGEST_NAME = 255
LONGEST_UNIT = 63
MOST_LABELS = 64
MOST_LABEL_CHARACTERS = 4096


@dataclass(slots=True)
class Curve:
    """Points of one series of one instance: `points` are (Unix milliseconds, value)."""

    instance_id: str
    name: str
    labels: dict[str, str]
    kind: Kind
    unit: str = ""
    points: list[tuple[int, float]] = field(default_factory=list)
    digest: bytes = b""


class Rules:
    """What may be stored at this moment."""

    def __init__(self, now: datetime) -> None:
        self._oldest = (now - timedelta(days=settings.KEEP_DAYS["samples"]) - EPOCH) // timedelta(milliseconds=1)
        self._latest = (now + AHEAD - EPOCH) // timedelta(milliseconds=1)

    def checked(self, curves: list[Curve], refused: Refused) -> Iterator[Curve]:
        """The curves with what can be stored of them, identified by `digest`; what cannot goes to `refused`.

        A value that is not a number says that there is none (a quantile of nothing, a target that has gone): it is
        passed over and not refused.
        """
        for curve in curves:
            if fault := _fault(curve):
                refused.add(fault, len(curve.points))
                continue
            curve.points = [one for one in curve.points if not math.isnan(one[1]) and self._storable(one, refused)]
            if curve.points:
                curve.name, curve.unit, curve.labels = cleaned(curve.name), cleaned(curve.unit), cleaned(curve.labels)
                curve.digest = _digest(curve)
                yield curve

    def _storable(self, point: tuple[int, float], refused: Refused) -> bool:
        at, value = point
        if math.isinf(value):
            refused.add("the value is infinite")
        elif at < self._oldest:
            refused.add(f"older than {settings.KEEP_DAYS['samples']} days")
        elif at > self._latest:
            refused.add("more than 10 minutes in the future")
        else:
            return True
        return False


def _fault(curve: Curve) -> str:
    if not 0 < len(curve.name) <= LONGEST_NAME:
        return f"the name is empty or longer than {LONGEST_NAME} characters"
    if len(curve.labels) > MOST_LABELS:
        return f"more than {MOST_LABELS} labels"
    if sum(map(len, curve.labels)) + sum(map(len, curve.labels.values())) > MOST_LABEL_CHARACTERS:
        return f"the labels have more than {MOST_LABEL_CHARACTERS} characters"
    if len(curve.unit) > LONGEST_UNIT:
        return f"the unit is longer than {LONGEST_UNIT} characters"
    return ""


def _digest(curve: Curve) -> bytes:
    parts = [curve.name]
    for name in sorted(curve.labels):
        parts += (name, curve.labels[name])
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()
