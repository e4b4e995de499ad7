"""Where a redirect leads, and the request that follows it. Pure."""

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin

from loadtest.engine.plan import PlanError
from loadtest.engine.requests import parse_url

STATUSES = frozenset({301, 302, 303, 307, 308})
REMEMBERED = 256

_LOCATION = re.compile(rb"\r\nlocation:[ \t]*([^\r\n]*)", re.IGNORECASE).search
_BODY_FIELDS = re.compile(rb"\r\n(?:content-[\w-]*|transfer-encoding):[^\r\n]*", re.IGNORECASE)


class Elsewhere(Exception):
    """The redirect leads to an address that nobody judged. The text says where."""


@dataclass
class Redirects:
    """Follows redirects within one origin, as RFC 9110 §15.4 and browsers do: others stay answers."""

    tls: bool
    host: str
    port: int
    _known: dict[tuple[bytes, int, bytes], bytes] = field(default_factory=dict)

    def request(self, sent: bytes, status: int, head: bytes) -> bytes | None:
        """What to send after the answer `head` to `sent`; None if it leads nowhere. Raises Elsewhere."""
        found = _LOCATION(head)
        if found is None:
            return None
        location = found[1].strip()
        key = (sent, status, location)
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = self._made(sent, status, location)
        return self._known[key]

    def _made(self, sent: bytes, status: int, location: bytes) -> bytes:
        method, path, _ = sent.split(b" ", 2)
        host = f"[{self.host}]" if ":" in self.host else self.host
        here = f"{'https' if self.tls else 'http'}://{host}:{self.port}{path.decode('latin-1')}"
        try:
            target = parse_url(urljoin(here, location.decode("utf-8", "replace")))
        except (PlanError, ValueError) as error:
            raise Elsewhere(f"what cannot be reached ({error})") from error
        if (target.tls, target.host.lower(), target.port) != (self.tls, self.host.lower(), self.port):
            raise Elsewhere(f"{target.scheme}://{target.authority}")
        head, _, body = sent.partition(b"\r\n\r\n")
        if (status == 303 and method != b"HEAD") or (status in (301, 302) and method == b"POST"):
            method, body, head = b"GET", b"", _BODY_FIELDS.sub(b"", head)
        fields = head.partition(b"\r\n")[2]
        return b"%b %b HTTP/1.1\r\n%b\r\n\r\n%b" % (method, target.path.encode(), fields, body)
