"""Sending a request on and its answer back, byte for byte, while the begin of each body is kept."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from functools import lru_cache

import aiohttp
import certifi
from aiohttp import ClientResponse, hdrs, web
from multidict import CIMultiDict

from loadtest.replay.gateway.answers import Relayed
from loadtest.replay.gateway.bodies import Kept
from loadtest.replay.gateway.headers import SESSION, end_to_end
from loadtest.replay.gateway.targets import Guard, GuardedResolver, Refused, Target, matches

CONNECT_S = 10.0
_KEEP_S = 4.0  # shorter than most servers keep an idle connection, so that few requests meet a closed one
HEAD_BYTES = 64 * 1024  # of a request or status line, and of one header
_AS_IT_IS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")  # what aiohttp would add


class Failed(Exception):
    """The upstream gave no answer: the status, the code and the sentence that the caller gets instead."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code = status, code


class Stalled(TimeoutError):
    """The caller stopped in the middle of its body."""


class Upstreams:
    """The connections to all upstreams. TLS is verified except for the hosts that are listed as insecure."""

    def __init__(self, guard: Guard, *, idle_s: float, ca_file: str = "", insecure: Iterable[str] = ()) -> None:
        self.guard, self._insecure = guard, tuple(insecure)
        self._verified, self._unverified = _tls(ca_file), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._unverified.check_hostname, self._unverified.verify_mode = False, ssl.CERT_NONE
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_KEEP_S, resolver=GuardedResolver(guard), ttl_dns_cache=10
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=idle_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_AS_IT_IS,
            max_line_size=HEAD_BYTES,
            max_field_size=HEAD_BYTES,
        )

    async def send(
        self, method: str, target: Target, headers: CIMultiDict[str], data: bytes | AsyncIterator[bytes] | None
    ) -> ClientResponse:
        """The answer up to its headers; raises Failed."""
        trusting = target.scheme == "https" and matches(target.host, self._insecure)
        try:
            self.guard.check_literal(target)
            return await self._client.request(
                method,
                target.url,
                headers=headers,
                data=data,
                allow_redirects=False,
                ssl=self._unverified if trusting else self._verified,
            )
        except Refused as fault:
            raise Failed(403, "target_refused", str(fault)) from fault
        except aiohttp.ClientConnectorCertificateError as fault:
            why = getattr(fault.certificate_error, "verify_message", "") or "it does not fit the name"
            raise Failed(
                502, "upstream_certificate", f"The certificate of {target.host} is not valid: {why}."
            ) from fault
        except Stalled as fault:
            raise late() from fault
        except TimeoutError as fault:
            raise Failed(504, "upstream_timeout", f"{target.host} did not answer in time.") from fault
        except aiohttp.ClientConnectorError as fault:
            raise Failed(502, "upstream_unreachable", f"No connection to {target.host} port {target.port}.") from fault
        except (aiohttp.ClientError, ValueError) as fault:
            sentence = f"{target.host} broke the connection or did not answer in proper HTTP."
            raise Failed(502, "upstream_broken", sentence) from fault

    async def close(self) -> None:
        await self._client.close()


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def relay(
    request: web.BaseRequest, upstream: ClientResponse, session: str | None, kept: Kept | None
) -> tuple[Relayed, bytes]:
    """Stream an answer to the caller; the last piece is not sent yet, so that bookkeeping comes before the end.

    Raises Failed when the upstream breaks off; the caller's connection is then cut too, so that it sees it.
    """
    headers = end_to_end(upstream.headers)
    if session:
        headers[SESSION] = session
    response, content = Relayed(status=upstream.status, reason=upstream.reason, headers=headers), upstream.content
    try:
        await response.prepare(request)
    except ValueError as fault:
        raise Failed(502, "upstream_broken", "The upstream sent a header with a control character.") from fault
    if content.is_eof():  # small answers: all of it came with the headers
        last = content.read_nowait(-1)
        if kept:
            kept.add(last)
        return response, last
    response.flush()
    try:
        async for chunk in content.iter_any():
            if kept:
                kept.add(chunk)
            await response.write(chunk)
    except (aiohttp.ClientError, TimeoutError) as fault:
        if request.transport:
            request.transport.abort()
        raise Failed(502, "upstream_broken", "The upstream broke off its answer.") from fault
    return response, b""


async def begin_of_body(
    request: web.BaseRequest, kept: Kept, limit: int, idle_s: float
) -> AsyncIterator[bytes] | bytes | None:
    """Read the begin of a request's body into `kept`; what to send on: nothing, all of it, or a stream of it.

    Raises Failed when the caller is silent for `idle_s`.
    """
    if not request.body_exists:
        return None
    read: list[bytes] = []
    try:
        while sum(map(len, read)) <= limit:
            async with asyncio.timeout(idle_s):
                chunk = await request.content.readany()
            if not chunk:
                return b"".join(read)
            read.append(chunk)
            kept.add(chunk)
    except TimeoutError as fault:
        raise late() from fault
    return stream(request, idle_s, read)


async def stream(request: web.BaseRequest, idle_s: float, read: Iterable[bytes] = ()) -> AsyncIterator[bytes]:
    """A body as it comes, after what was `read` of it already. Raises Stalled when nothing comes for `idle_s`."""
    for chunk in read:
        yield chunk
    while True:
        try:
            async with asyncio.timeout(idle_s):
                chunk = await request.content.readany()
        except TimeoutError:
            raise Stalled from None
        if not chunk:
            return
        yield chunk


def late() -> Failed:
    return Failed(408, "request_timeout", "The body of the request did not arrive in time.")


def go_on(request: web.BaseRequest) -> None:
    """Tell a caller that waits with its body to send it."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
