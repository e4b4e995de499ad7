"""What may enter the audit log: no secrets, no endless texts, only values that every database gives back unchanged."""

import re
from typing import Any

MASK = "********"
LONGEST = 2000
_SECRET_NAMES = re.compile(
    r"passw|secret|token|api_?key|authorization|credential|private|cookie|signature|^key$|^hmac$|digest|webhook_?url",
    re.IGNORECASE,
)
_OUR_KEYS = re.compile(r"\bsk-[0-9a-f]{48}\b")


def masked(value: Any, name: str = "") -> Any:
    """The value without secrets: whatever lies under a name that sounds secret becomes a mask."""
    if isinstance(value, dict):
        return {storable(str(key)): masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [masked(inner, name) for inner in value]
    if value not in (None, "") and not isinstance(value, bool) and _SECRET_NAMES.search(name):
        return MASK
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float):
        # Databases write large and special numbers in their own way; a seal needs them back as they were.
        return value + 0.0 if abs(value) < 1e15 else str(value)
    return value


def storable(text: str) -> str:
    """Text that every database stores: no NUL, no half characters, no keys of ours, at most 2,000 characters."""
    text = _OUR_KEYS.sub(MASK, text).replace("\x00", "\ufffd").encode(errors="replace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def masked_email(email: str) -> str:
    """`someone@example.org` as `s•••@example.org`: enough to recognise one's own, too little to collect."""
    name, at, domain = email.strip()[:254].partition("@")
    return storable(f"{name[:1]}•••{at}{domain}")
