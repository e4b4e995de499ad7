"""A HAR as a case document, lenient to the dialects of browsers and proxies."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Imported:
    case: dict[str, Any]
    skipped: list[dict[str, Any]] = field(default_factory=list)  # {"entry": 3, "reason": "…"}


def read_har(document: Any, *, case_id: str) -> Imported:
    """The case of a HAR 1.2 object. Entries that cannot be used are skipped and reported, never a reason to refuse.

    Raises Invalid (400) for what is no HAR, or one of whose entries none can be used.
    """
    raise NotImplementedError
