"""What else can be done when the first administrator is made. Higher rooms put their offers here; this one knows none.

An offer is a tick box on the page of the first start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from config.api.authentication import Principal


@dataclass(frozen=True)
class Offer:
    """A tick box: the name of its field, what stands beside it, and what to do when it is ticked.

    `act` is called with `actor` and `request`; `ticked` is how the box stands at first.
    """

    name: str
    label: str
    help_text: str
    act: Callable[..., Any]
    ticked: bool = True


OFFERS: list[Offer] = []


def offer(one: Offer) -> None:
    """Add an offer, once; called when the app that makes it is ready."""
    if one.name not in [known.name for known in OFFERS]:
        OFFERS.append(one)


def accept(names: set[str], *, actor: Principal | None, request: Any) -> None:
    """Do what was ticked."""
    for one in OFFERS:
        if one.name in names:
            one.act(actor=actor, request=request)
