"""Name look-up, judgement, connection; sockets that keep one deadline and byte budget for a whole call.

A socket's own time-out starts anew with every read, so a server that drips one byte a second would never end.
"""

import socket
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import lru_cache
from ipaddress import ip_address
from threading import BoundedSemaphore, Thread
from typing import Any, TypeVar, cast

import certifi

from .addresses import Address, Policy, default_policy
from .errors import BadRequest, TimedOut, TlsFailed, TooLarge, Unreachable
from .phases import Phase, Phases
from .urls import parse_host

MAX_KEPT = 64 * 1024  # bytes of a request that are kept to be looked at
MAX_ATTEMPTS = 6  # addresses of one name that are tried
_lookups = BoundedSemaphore(64)  # a look-up cannot be interrupted; hanging ones must not pile up


class Leash:
    """The time and the bytes that one call may still use, and where they went. Belongs to one thread."""

    def __init__(self, timeout_s: float) -> None:
        if not 0 < timeout_s <= 86_400:
            raise BadRequest("The time-out must be above 0 and at most 86400 seconds.")
        self.timeout_s = timeout_s
        self.started_at = time.monotonic()
        self.host = ""
        self.phases = Phases()
        self.phase: Phase | None = None
        self._entered_at = self.started_at
        self.kept = b""
        self.keeping = True
        self.sent_bytes = self.received_bytes = 0
        self.allow(0, "answer")

    def allow(self, count: int, what: str) -> None:
        """Set the budget of received bytes; `what` is named when it is passed."""
        self._bytes, self._what = count, what

    def remaining_s(self) -> float:
        """Seconds left, above 0; raises `TimedOut`."""
        left = self.started_at + self.timeout_s - time.monotonic()
        if left <= 0:
            raise self.timed_out()
        return left

    def enter(self, phase: Phase | None) -> None:
        """The call goes on to its next part, or has ended; the time since the last call belongs to the part before."""
        now = time.monotonic()
        if self.phase:
            self.phases = self.phases.plus(self.phase, (now - self._entered_at) * 1000)
        self.phase, self._entered_at = phase, now

    def timed_out(self) -> TimedOut:
        return TimedOut(f"{self.host} did not finish within {self.timeout_s:g} s.")

    def sent(self, data: bytes) -> None:
        """Count what the request consists of, and keep its beginning while `keeping`."""
        self.sent_bytes += len(data)
        if self.keeping:
            self.kept += data[: MAX_KEPT - len(self.kept)]

    def received(self, count: int) -> None:
        if count and self.phase == "first_byte":
            self.enter("download")
        self.received_bytes += count
        self._bytes -= count
        if self._bytes < 0:
            raise TooLarge(f"{self.host} sent a larger {self._what} than allowed.")


class LeashedSocket(socket.socket):
    leash: Leash

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.leash.remaining_s())
        count = super().recv_into(*args, **kwargs)
        self.leash.received(count)
        return count

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.leash.remaining_s())
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(self.leash.remaining_s())
        super().sendall(*args, **kwargs)


class LeashedTlsSocket(LeashedSocket, ssl.SSLSocket):
    """Receives and sends through TLS; budget and deadline count what comes out of it."""


AnySocket = TypeVar("AnySocket", bound=socket.socket)


def resolve(host: str, *, policy: Policy | None = None, timeout_s: float = 5.0) -> list[Address]:
    """Look a name up once and return its addresses, all of them allowed by the policy.

    Raises `BadUrl` for a malformed name, `Refused` when any one answer is forbidden, `Unreachable` when the
    name is unknown, `TimedOut`. Connect to what is returned; a second look-up may answer something else.
    """
    return lookup(host, policy or default_policy(), Leash(timeout_s))


def connect(host: str, port: int, *, policy: Policy | None = None, timeout_s: float = 10.0) -> socket.socket:
    """A TCP socket connected to an allowed address of `host`, for other protocols (mail, WebSockets).

    The caller closes it, and keeps `host` as the name for TLS. `timeout_s` bounds look-up and connection
    together and stays as the time-out of each later read and write. Raises as `resolve`.
    """
    leash = Leash(timeout_s)
    sock = dial(lookup(host, policy or default_policy(), leash), port, leash, socket.socket)
    sock.settimeout(timeout_s)
    return sock


def lookup(host: str, policy: Policy, leash: Leash) -> list[Address]:
    """`resolve` within a running call; a literal address is judged without asking a name server."""
    host, literal = parse_host(host)
    leash.host = host
    addresses = [literal] if literal else _ask(host, leash)
    for address in addresses:
        policy.check(address, host)
    return addresses


def _ask(host: str, leash: Leash) -> list[Address]:
    if not _lookups.acquire(timeout=leash.remaining_s()):
        raise leash.timed_out()
    answer: Future[list[Any]] = Future()

    def work() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001  raised again in the thread that waits
            answer.set_exception(error)
        finally:
            _lookups.release()

    try:
        Thread(target=work, name="outbound-lookup", daemon=True).start()
    except RuntimeError as error:  # the system has no thread left
        _lookups.release()
        raise Unreachable(f"The name {host} could not be looked up.") from error
    try:
        rows = answer.result(timeout=leash.remaining_s())
    except TimeoutError:
        raise leash.timed_out() from None
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"The name {host} could not be looked up.") from error
    families = (socket.AF_INET, socket.AF_INET6)
    found = dict.fromkeys(ip_address(row[4][0]) for row in rows if row[0] in families)
    if not found:
        raise Unreachable(f"The name {host} has no address.")
    return list(found)


def dial(addresses: Sequence[Address], port: int, leash: Leash, kind: type[AnySocket]) -> AnySocket:
    """Connect to the first address that answers; each gets an equal share of the time that is left."""
    candidates = addresses[:MAX_ATTEMPTS]
    failure: OSError | None = None
    for index, address in enumerate(candidates):
        try:
            return _open(address, port, leash.remaining_s() / (len(candidates) - index), kind)
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        raise leash.timed_out() from failure
    if isinstance(failure, ConnectionRefusedError):
        raise Unreachable(f"{leash.host} refused the connection on port {port}.") from failure
    raise Unreachable(f"{leash.host} could not be reached on port {port}.") from failure


def _open(address: Address, port: int, timeout_s: float, kind: type[AnySocket]) -> AnySocket:
    sock = kind(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect((str(address), port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    return sock


@lru_cache(maxsize=2)
def tls_context(verify: bool) -> ssl.SSLContext:
    """Trusts the system's certificates (or those of `SSL_CERT_FILE`) and the bundled public ones."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = LeashedTlsSocket
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def secure(sock: LeashedSocket, host: str, verify: bool) -> LeashedTlsSocket:
    """TLS over a connected socket, verified against the name. Takes the socket over, also when it fails."""
    leash = sock.leash
    try:
        sock.settimeout(leash.remaining_s())
        tls = tls_context(verify).wrap_socket(sock, server_hostname=host)
    except TimeoutError as error:
        raise leash.timed_out() from error
    except ssl.SSLCertVerificationError as error:
        raise TlsFailed(f"The certificate of {host} is not valid: {error.verify_message}.") from error
    except ssl.SSLError as error:
        reason = (error.reason or "connection closed").replace("_", " ").lower()
        raise TlsFailed(f"The TLS handshake with {host} failed: {reason}.") from error
    except OSError as error:
        raise Unreachable(f"{host} closed the connection during the TLS handshake.") from error
    finally:
        sock.close()  # wrapping has taken the descriptor over; after a failure nothing must stay open
    secured = cast(LeashedTlsSocket, tls)  # the context's socket class
    secured.leash = leash
    return secured
