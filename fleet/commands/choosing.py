"""Which machines a person means: names, ids and labels in one line of text."""

import re
from datetime import datetime

from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Invalid
from fleet.commands.bodies import MOST_TARGETS
from fleet.instances.listing import Filters
from fleet.instances.models import Instance


def named(text: str, *, principal: Principal, now: datetime | None = None) -> list[Instance]:
    """The instances that `text` means: "web-1, web-2", "role=web" or both, with commas or new lines between.

    In the order of their names. Raises Invalid for a name that means nothing, and for none or too many instances.
    """
    words = list(dict.fromkeys(word.strip() for word in re.split(r"[,\n]", text.replace("\x00", "")) if word.strip()))
    visible = Instance.objects.visible_to(principal).existing()
    found: dict[str, Instance] = {}
    unknown = []
    for word in words[: 2 * MOST_TARGETS]:
        if "=" in word:
            matching = Filters(label=word).apply(visible, now or timezone.now())
        else:
            matching = visible.filter(name=word) | visible.filter(pk=word)
        rows = list(matching.order_by("name", "pk")[: MOST_TARGETS + 1])
        if not rows:
            unknown.append(word[:128])
        found |= {row.pk: row for row in rows}
    if unknown:
        raise _refused(f"No instance fits {', '.join(unknown)}.")
    if not found:
        raise _refused("Name at least one instance.")
    if len(found) > MOST_TARGETS:
        raise _refused(f"These are more than {MOST_TARGETS} instances. Name fewer at once.")
    return sorted(found.values(), key=lambda instance: (instance.name, instance.pk))


def _refused(sentence: str) -> Invalid:
    return Invalid(sentence, details={"targets": [sentence]})
