"""What can go wrong on the way out.

Messages name the host and the reason; never a path, a query, a user or the address that a name resolved to,
so that they may be shown and stored.
"""

from .phases import Phase, Phases


class OutboundError(Exception):
    """Any failed outgoing call; `code` is the machine's word for it.

    `phase` is the part of the call in which it failed, None before it began; `phases` how long each part took;
    `request` the first 64 KiB that were sent.
    """

    code = "outbound_failed"
    phase: Phase | None = None
    phases = Phases()
    request = b""


class BadRequest(OutboundError):
    """The method, a header or an option is not one this client sends."""

    code = "bad_request"


class BadUrl(BadRequest):
    """The URL or host name is malformed or not http(s)."""

    code = "bad_url"


class Refused(OutboundError):
    """The policy forbids this address."""

    code = "refused"


class TimedOut(OutboundError):
    """The whole call did not end within its time."""

    code = "timed_out"


class TooLarge(OutboundError):
    """Headers or (decoded) body passed the limit."""

    code = "too_large"


class Unreachable(OutboundError):
    """No usable answer: unknown name, refused or broken connection, not HTTP, endless redirects."""

    code = "unreachable"


class TlsFailed(OutboundError):
    """The TLS handshake failed or the certificate does not fit the name."""

    code = "tls_failed"
