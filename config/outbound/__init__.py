"""The one guarded way out: every call that leaves the platform goes through here.

A name is looked up once, every answer is judged by the policy, and the connection goes to that very address,
so a name that changes its answer, a redirect or an odd spelling of an address cannot lead inside. Nothing is
read from proxy variables, netrc or cookies; time, headers and body are bounded as a whole.

`request` speaks HTTP. For other protocols (mail, WebSockets) `connect` gives a socket under the same rules.
"""

from .addresses import Address, Network, Policy, default_policy
from .client import Reply, Timings, request
from .errors import (
    BadRequest,
    BadUrl,
    OutboundError,
    Refused,
    TimedOut,
    TlsFailed,
    TooLarge,
    Unreachable,
)
from .phases import Phases
from .sockets import connect, resolve
from .urls import Target, check_url, parse_url

__all__ = [
    "Address",
    "BadRequest",
    "BadUrl",
    "Network",
    "OutboundError",
    "Phases",
    "Policy",
    "Refused",
    "Reply",
    "Target",
    "TimedOut",
    "Timings",
    "TlsFailed",
    "TooLarge",
    "Unreachable",
    "check_url",
    "connect",
    "default_policy",
    "parse_url",
    "request",
    "resolve",
]
