"""Values from the query of a request."""

from datetime import UTC, datetime
from typing import Any

from config.api.errors import Invalid


def moment(request: Any, name: str) -> datetime | None:
    """An ISO 8601 instant, as UTC; without a zone it is UTC. None when it is missing; raises Invalid for anything else.

    A plus sign that a client forgot to encode arrives as a blank.
    """
    text = request.GET.get(name, "").strip().replace(" ", "+")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        sentence = f"{name} must be an ISO 8601 instant, such as 2026-03-01T12:00:00Z"
        raise Invalid(sentence, details={name: [sentence]}) from None
