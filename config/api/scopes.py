"""Scopes of API keys: words such as `monitors:read` that narrow a key to some APIs.

A key without scopes opens every API, as far as its role goes. What a request needs follows from its address and its
method alone, so that no view can forget it; sockets and event streams name what they need in the same words.
"""

from collections.abc import Iterable

from config.api.errors import Forbidden, Invalid

FLEET, MONITORS, LOADTEST, SIGNALS, REPLAY = APIS = ("fleet", "monitors", "loadtest", "signals", "replay")
WORDS = tuple(f"{api}:{right}" for api in APIS for right in ("read", "write"))
EVERYTHING = ""  # what no scope gives: only a key without scopes has it
FLEET_READ, FLEET_WRITE, REPLAY_WRITE = "fleet:read", "fleet:write", "replay:write"

PREFIXES = (
    ("/api/loadtest", LOADTEST),
    ("/api/signals", SIGNALS),
    ("/api/replay", REPLAY),
    ("/v1", REPLAY),
    ("/api/monitors", MONITORS),
    ("/api/runs", MONITORS),
    ("/api/alerts", MONITORS),
    ("/api/agents", MONITORS),
    ("/api/settings", MONITORS),
    ("/api", FLEET),
    ("/metrics", FLEET),
    ("/ws", FLEET),
)
# Whoever sets passwords can become that person, whose keys have no bounds.
PEOPLE = ("/api/v1/admin/users", "/api/v1/me/password")
TICKETS = "/api/v1/ws/ticket"  # a ticket opens no more than its key, and a socket that only reads needs one
WRITING_SOCKETS = ("/ws/agent", "/ws/terminal")
READING = ("GET", "HEAD", "OPTIONS")


def needed(path: str, method: str) -> str:
    """The scope that an HTTP request needs; EVERYTHING for pages, which are for people."""
    path = "/" + path.strip("/")
    api = next((api for prefix, api in PREFIXES if _below(path, prefix)), None)
    writes = method not in READING and path != TICKETS
    if api is None or (writes and any(_below(path, one) for one in PEOPLE)):
        return EVERYTHING
    return f"{api}:{'write' if writes else 'read'}"


def needed_for_socket(path: str) -> str:
    """The scope that a WebSocket needs to open."""
    return FLEET_WRITE if any(_below("/" + path.strip("/"), one) for one in WRITING_SOCKETS) else FLEET_READ


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def covers(scopes: Iterable[str], scope: str) -> bool:
    """Whether a key with these scopes may do what needs that one: none gives all, and write includes read."""
    held = set(scopes)
    return not held or scope in held or (scope.endswith(":read") and scope.replace(":read", ":write") in held)


def require(scopes: Iterable[str], scope: str) -> None:
    """Raise Forbidden when the scopes do not cover the one that is needed."""
    if covers(scopes, scope):
        return
    if scope == EVERYTHING:
        raise Forbidden("This needs an API key without scopes, or a person who is signed in")
    raise Forbidden(f"The API key lacks the scope {scope}")


def tidied(scopes: Iterable[str]) -> list[str]:
    """Each scope once, in the order of WORDS, without a read that a write includes. Raises Invalid for others."""
    given = set(scopes)
    if unknown := sorted(given - set(WORDS)):
        faults = [f"{word[:40]!r} is no scope. Scopes are {', '.join(WORDS)}." for word in unknown[:3]]
        raise Invalid("Unknown scope", details={"scopes": faults})
    return [word for word in WORDS if word in given and word.replace(":read", ":write") not in given - {word}]


def within(scopes: Iterable[str], bounds: Iterable[str]) -> bool:
    """Whether a key with these scopes can do nothing beyond one with those bounds."""
    wanted, limits = list(scopes), list(bounds)
    return not limits or (bool(wanted) and all(covers(limits, word) for word in wanted))
