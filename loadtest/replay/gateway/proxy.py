"""One request through the gateway: whose it is, who answers it, what is told of it (contract: traffic replay §12)."""

import logging
import time
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import ClientResponse, hdrs, web
from multidict import CIMultiDict

from loadtest.replay.gateway import answers, tunnels
from loadtest.replay.gateway.bodies import Kept, stored
from loadtest.replay.gateway.control import Control, Refusal, Unavailable
from loadtest.replay.gateway.forwarding import Failed, Upstreams, begin_of_body, go_on, relay, stream
from loadtest.replay.gateway.headers import asks_for_upgrade, carry_on, end_to_end, for_storage, session_of
from loadtest.replay.gateway.listeners import Connection, Listener
from loadtest.replay.gateway.static import is_static
from loadtest.replay.gateway.targets import BadTarget, Target, absolute
from loadtest.replay.gateway.uploads import Uploads
from loadtest.replay.spans.exchange import Exchange, Response

log = logging.getLogger("pharos.gateway")
TELL_EVERY_S = 10.0


@dataclass(frozen=True)
class Behaviour:
    """`fail_open`: forward when Pharos gives no answer. `spy`: never ask, report only. `keep`: bytes of a body.

    `idle_s`: how long a caller may be silent in the middle of a body.
    """

    fail_open: bool
    spy: bool = False
    skip_static: bool = False
    keep: int = 1 << 20
    idle_s: float = 300.0


@dataclass
class Count:
    """Requests so far."""

    requests: int = 0
    answered: int = 0  # by a session
    refused: int = 0  # by a session's policy or error rule
    failures: int = 0  # Pharos gave no answer


class Proxy:
    """Handles every request of every listener."""

    def __init__(
        self, control: Control, uploads: Uploads, upstreams: Upstreams, session: str | None, behaviour: Behaviour
    ) -> None:
        self._control, self._uploads, self._upstreams = control, uploads, upstreams
        self._session, self._does = session, behaviour
        self._told_at = float("-inf")
        self.count = Count()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.count.requests += 1
        connection: Any = request.protocol
        listener: Listener = connection.listener
        session = session_of(request.headers) or listener.session or self._session
        try:
            target = _target(request, connection)
            if session:
                return await self._in_session(request, target, listener, session)
            return await self._plainly(request, target, listener)
        except BadTarget as fault:
            return await answers.own(request, 400, "bad_request", str(fault), session)
        except Failed as fault:
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError("The answer broke off.") from fault
            return await answers.own(request, fault.status, fault.code, str(fault), session)

    async def _plainly(self, request: web.BaseRequest, target: Target, listener: Listener) -> web.StreamResponse:
        go_on(request)
        data = None
        if request.body_exists:
            data = request.content.read_nowait(-1) if request.content.is_eof() else stream(request, self._does.idle_s)
        upstream = await self._upstreams.send(request.method, target, _outgoing(request, target, listener), data)
        return await self._return(request, upstream, None, None)

    async def _in_session(
        self, request: web.BaseRequest, target: Target, listener: Listener, session: str
    ) -> web.StreamResponse:
        limit = self._does.keep
        started_ns, asked, answer = time.time_ns(), Kept(limit), Kept(limit)
        go_on(request)
        headers = _outgoing(request, target, listener)
        trace = carry_on(headers, session)
        data = await begin_of_body(request, asked, limit, self._does.idle_s)
        body, unfolded = stored(asked, request.headers.get(hdrs.CONTENT_ENCODING, ""), limit)
        question = Exchange(
            kind="inject",
            session_id=session,
            direction=listener.direction,
            service=listener.service,
            method=request.method,
            authority=target.authority,
            target=target.path,
            scheme=target.scheme,
            headers=for_storage(request.headers, [hdrs.CONTENT_ENCODING.lower()] if unfolded else ()),
            body=body,
            trace_id=trace.trace_id,
            started_ns=started_ns,
            ended_ns=started_ns,
        )
        if not self._does.spy and (given := await self._ask(request, question, session)):
            return given
        upstream = await self._upstreams.send(request.method, target, headers, data)

        def report() -> None:
            if not (self._does.skip_static and is_static(target.path, upstream.headers)):
                self._uploads.put(_exchange(question, upstream, answer, limit))

        return await self._return(request, upstream, session, answer, report)

    async def _ask(self, request: web.BaseRequest, question: Exchange, session: str) -> web.StreamResponse | None:
        """The session's answer, already given; None when the upstream is to answer."""
        try:
            decision = await self._control.ask(question)
        except Unavailable as fault:
            self._failed(fault)
            if self._does.fail_open:
                return None
            sentence = f"{fault} This gateway is set to fail closed, so the request was not forwarded."
            return await answers.own(request, 503, "replay_unavailable", sentence, session)
        if decision is None:
            return None
        if isinstance(decision, Refusal):
            self.count.refused += 1
            return await answers.refused(request, decision, session)
        self.count.answered += 1
        return await answers.mocked(request, decision, session)

    def _failed(self, fault: Unavailable) -> None:
        self.count.failures += 1
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = time.monotonic()
            does = "forwarded" if self._does.fail_open else "refused"
            log.warning("%s Requests are %s; %d so far.", fault, does, self.count.failures)

    async def _return(
        self,
        request: web.BaseRequest,
        upstream: ClientResponse,
        session: str | None,
        kept: Kept | None,
        report: Any = None,
    ) -> web.StreamResponse:
        try:
            if upstream.status == 101:
                return await tunnels.upgraded(request, upstream, session)
            response, last = await relay(request, upstream, session, kept)
            if report:
                report()  # before the caller sees the end: what it does next finds the exchange in the queue
            await response.write_eof(last)
            upstream.release()
            return response
        finally:
            if not upstream.closed:
                upstream.close()


def _target(request: web.BaseRequest, connection: Connection) -> Target:
    """Where a request goes. Raises BadTarget."""
    listener, path = connection.listener, request.raw_path
    if connection.tunnel:
        scheme, host, port = connection.tunnel
        authority = request.headers.get(hdrs.HOST) or host
    elif listener.to:
        scheme, host, port = listener.to.scheme, listener.to.host, listener.to.port
        authority = (listener.inbound and request.headers.get(hdrs.HOST)) or listener.to.authority
    else:
        return absolute(path)
    if not path.startswith("/"):
        path = absolute(path).path
    return Target(scheme, host, port, (listener.to.path if listener.to else "") + path, authority)


def _outgoing(request: web.BaseRequest, target: Target, listener: Listener) -> CIMultiDict[str]:
    headers = end_to_end(request.headers)
    headers.popall(hdrs.EXPECT, None)
    headers[hdrs.HOST] = target.authority
    if asks_for_upgrade(request.headers):
        headers[hdrs.CONNECTION], headers[hdrs.UPGRADE] = "Upgrade", request.headers[hdrs.UPGRADE]
    return headers


def _exchange(question: Exchange, upstream: ClientResponse, kept: Kept, limit: int) -> Exchange:
    body, unfolded = stored(kept, upstream.headers.get(hdrs.CONTENT_ENCODING, ""), limit)
    headers = for_storage(upstream.headers, [hdrs.CONTENT_ENCODING.lower()] if unfolded else ())
    response = Response(upstream.status, headers, body)
    return replace(question, kind="extract", response=response, ended_ns=time.time_ns())
