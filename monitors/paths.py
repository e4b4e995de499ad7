"""Ids in paths."""

import re
from uuid import UUID

from config.api.errors import NotFound

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def known_uuid(text: str, noun: str) -> UUID:
    """The id in a path; what is no UUID names nothing."""
    if not _UUID.fullmatch(text):  # Python would also read `{…}` and `urn:uuid:…`
        raise NotFound(f"{noun} '{text[:64]}' not found")
    return UUID(text)
