"""What webhook and Slack share: one guarded request whose answer must be 2xx."""

import re

from alerts.channels.transports.messages import DeliveryFailed
from config import outbound

TIMEOUT_S = 10
SHOWN = 200  # characters of a refusal's body


def send(method: str, url: str, *, headers: dict[str, str], body: bytes) -> str:
    """Send once, without redirects; the answer in words. Raises DeliveryFailed."""
    try:
        reply = outbound.request(method, url, headers=headers, body=body, timeout_s=TIMEOUT_S)
    except (outbound.Refused, outbound.BadRequest) as error:
        raise DeliveryFailed(str(error), final=True) from error
    except outbound.OutboundError as error:
        raise DeliveryFailed(str(error)) from error
    answer = f"HTTP {reply.status} after {reply.timings.total_ms:.0f} ms"
    if 200 <= reply.status < 300:
        return answer
    words = " ".join(re.findall(r"[\x20-\x7e]+", reply.body[:SHOWN].decode("ascii", "replace"))).strip()
    raise DeliveryFailed(f"{answer}: {words}" if words else answer)
