"""What is taken out of an upload before anything of it is kept (contract §9)."""

from collections.abc import Collection
from typing import Any

from loadtest.replay.matching.compiled import RuleSet

REDACTED = "[REDACTED]"
SECRET_HEADERS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-public-key", "x-auth-token")
)


def scrub(
    document: dict[str, Any], ruleset: RuleSet | None = None, *, headers: Collection[str] = SECRET_HEADERS
) -> dict[str, Any]:
    """The document with REDACTED in place of these headers' values and of what matching `capture_only` rules name."""
    raise NotImplementedError
