"""Licence keys: signed offline, checked offline (contract: monitors §9).

`FPM1.<payload>.<signature>`, both base64url without padding; the signature is Ed25519 over the ASCII text
`FPM1.<payload>`. Nothing here knows a database or calls anybody.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORM = "FPM1"
TIERS = ("free", "professional", "enterprise")
LONGEST = 4096


class BadKey(ValueError):
    """A key that cannot be taken; the text says why and holds nothing of the key."""


@dataclass(frozen=True)
class Terms:
    """What a licence grants. None is no limit; `valid_until` None is for ever."""

    kid: str
    tier: str
    monitor_limit: int | None
    agent_limit: int | None
    min_interval_s: int | None
    issued_to: str
    issued_at: datetime | None
    valid_until: datetime | None

    def expired(self, now: datetime) -> bool:
        return self.valid_until is not None and self.valid_until <= now


def make_pair() -> tuple[str, str]:
    """A new private and public key, raw and in base64."""
    private = Ed25519PrivateKey.generate()
    return _b64(private.private_bytes_raw()), _b64(private.public_key().public_bytes_raw())


def sign(terms: Terms, private_key: str) -> str:
    """The licence key of these terms. Raises BadKey for a private key that is none."""
    try:
        signer = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key, validate=True))
    except ValueError:
        raise BadKey("The private key is not 32 bytes in base64.") from None
    payload = {
        "kid": terms.kid,
        "tier": terms.tier,
        "monitorLimit": terms.monitor_limit,
        "agentLimit": terms.agent_limit,
        "minIntervalSeconds": terms.min_interval_s,
        "issuedTo": terms.issued_to,
        "issuedAt": _wire(terms.issued_at),
        "validUntil": _wire(terms.valid_until),
    }
    head = f"{FORM}.{_url(json.dumps(payload, separators=(',', ':')).encode())}"
    return f"{head}.{_url(signer.sign(head.encode('ascii')))}"


def read(text: str, public_keys: Mapping[str, bytes]) -> Terms:
    """The terms of a key whose signature holds. Raises BadKey. Whether it has expired is for the caller to ask."""
    text = "".join(text.split())
    form, _, rest = text.partition(".")
    payload, _, signature = rest.partition(".")
    if len(text) > LONGEST or form != FORM or not payload or not signature or "." in signature:
        raise BadKey(f"A licence key reads {FORM}.<payload>.<signature>.")
    try:
        data, mark = json.loads(_unurl(payload)), _unurl(signature)
    except (ValueError, RecursionError):
        raise BadKey("The licence key is damaged.") from None
    kid = data.get("kid") if isinstance(data, dict) else None
    if not isinstance(kid, str) or kid not in public_keys:
        raise BadKey("The licence key is signed by a key that this server does not know.")
    try:
        Ed25519PublicKey.from_public_bytes(public_keys[kid]).verify(mark, f"{FORM}.{payload}".encode("ascii"))
    except (InvalidSignature, UnicodeEncodeError):
        raise BadKey("The signature of the licence key is wrong.") from None
    return _terms(kid, data)


def _terms(kid: str, data: Mapping[str, Any]) -> Terms:
    if data.get("tier") not in TIERS:
        raise BadKey(f"The licence names an unknown tier. Known: {', '.join(TIERS)}.")
    return Terms(
        kid=kid,
        tier=data["tier"],
        monitor_limit=_limit(data, "monitorLimit"),
        agent_limit=_limit(data, "agentLimit"),
        min_interval_s=_limit(data, "minIntervalSeconds"),
        issued_to=str(data.get("issuedTo") or "")[:200],
        issued_at=_moment(data, "issuedAt"),
        valid_until=_moment(data, "validUntil"),
    )


def _limit(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise BadKey(f"The licence has no usable {name}.")
    return value


def _moment(data: Mapping[str, Any], name: str) -> datetime | None:
    value = data.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise BadKey(f"The licence has no usable {name}.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _wire(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unurl(text: str) -> bytes:
    """The bytes; raises ValueError for anything but base64url without padding, in its one spelling."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if _url(data) != text:  # "=", "+" or "/", or bits beyond the last byte that decoding drops
        raise ValueError("not written as it should be")
    return data
