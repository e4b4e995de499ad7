"""What happened to an instance, a page at a time (contract: fleet console §7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from config import formats
from fleet.instances.models import Event, Instance

PER_PAGE = 50
WORDS = {
    "by": "by {}",
    "previous_status": "was {}",
    "triggered_by": "through {}",
    "label": "{}",
    "reason": "{}",
    "message": "{}",
    "final_status": "now {}",
}


@dataclass(frozen=True)
class Page:
    """Events, newest first. `older` asks for the next page; empty when there is none."""

    events: list[Event]
    older: str


def page(instance: Instance, *, type: str = "", before: str = "", most: int = PER_PAGE) -> Page:
    """The events of a type (all without one) that are older than the cursor `before`."""
    rows = instance.events.order_by("-timestamp", "-id")
    if type:
        rows = rows.filter(type=type)
    if cursor := _cursor(before):
        at, key = cursor
        rows = rows.filter(Q(timestamp__lt=at) | Q(timestamp=at, id__lt=key))
    found = list(rows[: most + 1])
    older = f"{found[most - 1].timestamp.isoformat()},{found[most - 1].pk}" if len(found) > most else ""
    return Page(found[:most], older)


def _cursor(text: str) -> tuple[datetime, str] | None:
    """The place after which to go on; None for one that is not ours."""
    moment, comma, key = text.partition(",")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, key) if comma and at.tzinfo and "\x00" not in key else None


def told(event: Event) -> dict[str, Any]:
    """An event in words."""
    facts = event.metadata if isinstance(event.metadata, dict) else {}
    said = [
        words.format(str(facts[name])[:200].lower() if name in ("previous_status", "final_status") else facts[name])
        for name, words in WORDS.items()
        if facts.get(name) not in (None, "")
    ]
    if facts.get("silent_s"):
        said.append(f"silent for {formats.duration(facts['silent_s'])}")
    return {"event": event, "detail": ", ".join(said)[:300]}
