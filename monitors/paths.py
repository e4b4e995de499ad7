"""Ids in paths."""

from uuid import UUID

from config.api.errors import NotFound


def known_uuid(text: str, noun: str) -> UUID:
    """The id in a path; what is no UUID names nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"{noun} '{text[:64]}' not found") from None
