"""A signed HTTP request to any address (contract: fleet console §11).

Two signatures, both HMAC-SHA256 with the channel's secret: `X-Sindri-Signature` over the body, and
`X-Pharos-Signature: t=<Unix seconds>,v1=<hex>` over `<t>.<body>`, which lets the receiver refuse an old message that
somebody sends again. `Idempotency-Key` is the same on each try of one message.
"""

import hashlib
import hmac
import json
import time
from typing import Any

from alerts.channels.transports import http
from alerts.channels.transports.messages import Message

OWN_HEADERS = ("content-type", "idempotency-key", "x-sindri-signature", "x-pharos-signature")


def send(config: dict[str, Any], message: Message) -> str:
    body = json.dumps(message.body(), separators=(",", ":")).encode()
    headers = {name: value for name, value in config.get("headers", {}).items() if name.lower() not in OWN_HEADERS}
    headers |= {"Content-Type": "application/json", "Idempotency-Key": message.key}
    if secret := config.get("secret"):
        headers |= signatures(secret, body, at=int(time.time()))
    return http.send(config.get("method", "POST"), config["url"], headers=headers, body=body)


def signatures(secret: str, body: bytes, *, at: int) -> dict[str, str]:
    """The two signing headers of a body; `at` is in Unix seconds."""

    def sign(text: bytes) -> str:
        return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()

    return {
        "X-Sindri-Signature": f"sha256={sign(body)}",
        "X-Pharos-Signature": f"t={at},v1={sign(f'{at}.'.encode() + body)}",
    }
