"""What the caller gets: the upstream's answer as it was written, a session's, or a sentence of the gateway."""

import json

from aiohttp import HttpVersion11, hdrs, web
from multidict import CIMultiDict

from loadtest.replay.gateway.control import Refusal
from loadtest.replay.gateway.headers import SESSION, end_to_end
from loadtest.replay.spans.exchange import Response

MARK = "x-pharos-gateway"  # on answers that the gateway makes up itself


class Relayed(web.StreamResponse):
    """An answer with exactly the given headers; only the framing is this hop's own.

    Headers wait for the first piece of the body, so that a small answer is one packet; `flush` sends them at once.
    """

    _send_headers_immediately = False

    async def _prepare_headers(self) -> None:
        """Instead of aiohttp's, which adds Server, Date and a content type."""
        request, writer, headers = self._req, self._payload_writer, self._headers
        assert request is not None and writer is not None  # noqa: S101 - `prepare` has set them
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        if not self._must_be_empty_body:
            if (length := headers.get(hdrs.CONTENT_LENGTH)) is not None:
                writer.length = int(length)
            elif request.version >= HttpVersion11:
                writer.enable_chunking()
                headers[hdrs.TRANSFER_ENCODING] = "chunked"
            else:
                self._keep_alive = False
        if hdrs.CONNECTION not in headers:
            if not self._keep_alive:
                headers[hdrs.CONNECTION] = "close"
            elif request.version < HttpVersion11:
                headers[hdrs.CONNECTION] = "keep-alive"

    def flush(self) -> None:
        """Send the headers although no body is at hand yet."""
        assert self._payload_writer is not None  # noqa: S101 - called between `prepare` and the end
        self._payload_writer.send_headers()


async def whole(
    request: web.BaseRequest, status: int, headers: CIMultiDict[str], body: bytes, session: str | None
) -> Relayed:
    """Send an answer whose body is at hand."""
    if session:
        headers[SESSION] = session
    headers.popall(hdrs.CONTENT_LENGTH, None)
    if status >= 200 and status not in (204, 304):
        headers[hdrs.CONTENT_LENGTH] = str(len(body))
    response = Relayed(status=status, headers=headers)
    try:
        await response.prepare(request)
    except ValueError:  # only an answer of a session can hold what no header may
        sentence = "The session answers with a header that has a line break or a control character."
        return await own(request, 502, "unusable_mock", sentence, session)
    empty = request.method == hdrs.METH_HEAD or hdrs.CONTENT_LENGTH not in headers
    await response.write_eof(b"" if empty else body)
    return response


async def mocked(request: web.BaseRequest, response: Response, session: str) -> Relayed:
    """The answer of a hit."""
    if response.status < 200:
        sentence = f"The session answers with status {response.status}, which ends no request."
        return await own(request, 502, "unusable_mock", sentence, session)
    headers = end_to_end(CIMultiDict(response.headers))
    body = response.body.content if response.body else b""
    if response.body and not response.body.encoding:
        headers.popall(hdrs.CONTENT_ENCODING, None)  # a text is not compressed, whatever was when it was captured
    return await whole(request, response.status, headers, body, session)


async def refused(request: web.BaseRequest, refusal: Refusal, session: str) -> Relayed:
    """Neither hit nor miss: status and body as Pharos gave them, as JSON (contract §8)."""
    headers = CIMultiDict({hdrs.CONTENT_TYPE: "application/json"})
    if refusal.strict_miss:
        headers["x-softprobe-strict-miss"] = "1"
    return await whole(request, refusal.status, headers, refusal.body, session)


async def own(request: web.BaseRequest, status: int, code: str, sentence: str, session: str | None = None) -> Relayed:
    """An answer of the gateway itself: why there is no other."""
    headers = CIMultiDict({hdrs.CONTENT_TYPE: "application/json", MARK: code})
    return await whole(request, status, headers, json.dumps({"error": code, "message": sentence}).encode(), session)
