"""What the rooms above put onto the page of a run. They register it here; this room knows none of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.instances.models import Instance


@dataclass(frozen=True)
class Part:
    """What one instance cost meanwhile: in words, or why that is not known; `url` shows what it is made of."""

    name: str
    text: str
    url: str


@dataclass(frozen=True)
class Cost:
    """What chosen instances cost during a run, in words: all of it, by request, and its parts.

    `whole` is "" when the cost of one of them is unknown; so is `by_request`, also when nothing was requested.
    """

    whole: str
    by_request: str
    parts: Sequence[Part]


# Given the instances, from when until when, and how many requests were made in that time.
Pricer = Callable[[Sequence[Instance], datetime, datetime, int], Cost]
_pricers: list[Pricer] = []


def price_instances(pricer: Pricer) -> None:
    """Let `pricer` say what instances cost during a run."""
    if pricer not in _pricers:
        _pricers.append(pricer)


def cost(instances: Sequence[Instance], since: datetime, until: datetime, requests: int) -> Cost | None:
    """What they cost; None without instances, or while nobody knows prices."""
    return _pricers[0](instances, since, until, requests) if _pricers and instances else None
