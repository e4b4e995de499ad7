"""A case document as HAR 1.2; `read_har` reads it back to the same exchanges, binary bodies included."""

from typing import Any


def write_har(case: dict[str, Any]) -> dict[str, Any]:
    """The HAR of every exchange with a response status, in captured order."""
    raise NotImplementedError
