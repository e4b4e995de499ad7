"""What the gateway asks Pharos while traffic flows, as any proxy does: inject and traces (contract §8)."""

from asyncio import sleep, timeout
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from config.api.errors import Malformed
from config.version import VERSION
from loadtest.replay.spans import reading, writing
from loadtest.replay.spans.exchange import Exchange, Response

ASK_S = 2.0  # contract §12
UPLOAD_S = 10.0
_KEEP_S = 4.0  # shorter than what servers keep an idle connection for: uvicorn 5 s
MOST_DELAY_MS = 30_000
# Delays that a rule asks for are kept here, so that they may be longer than the time an answer may take.
_JSON = {"Content-Type": "application/json", "Accept": "application/json", "X-Pharos-Delay": "caller"}


class Unavailable(Exception):
    """Pharos gave no usable answer: no connection, no answer in time, or not OTLP."""


@dataclass(frozen=True)
class Refusal:
    """An answer that is neither hit nor miss: it goes to the caller as it is."""

    status: int
    body: bytes
    strict_miss: bool


class Control:
    """A client of one Pharos. Connections are kept; `close` ends them."""

    def __init__(self, base_url: str, key: str, *, ask_s: float = ASK_S) -> None:
        headers = {"User-Agent": f"pharos-gateway/{VERSION}"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._base_url, self._ask_s = base_url, ask_s
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_S),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def ask(self, question: Exchange) -> Response | Refusal | None:
        """Who answers this request: a response to give, a refusal to hand on, None for the upstream. Or Unavailable."""
        status, headers, body = await self._post("inject", [writing.trace_document(question)], self._ask_s)
        if status == 404:
            return None
        if (delay_ms := headers.get("x-pharos-delay-ms", "")).isdecimal():
            await sleep(min(int(delay_ms), MOST_DELAY_MS) / 1000)
        if status != 200:
            return Refusal(status, body, "x-softprobe-strict-miss" in headers)
        try:
            document = reading.parse(body, headers.get("Content-Type", ""))
            response = reading.exchange(next(reading.spans(document))).response
        except (Malformed, StopIteration) as fault:
            raise Unavailable("Pharos answered inject with something that is not OTLP.") from fault
        if response is None:
            raise Unavailable("Pharos answered inject with a hit that has no status.")
        return response

    async def report(self, exchanges: list[Exchange]) -> int:
        """Upload exchanges of one session; the status of the answer. Raises Unavailable."""
        status, _, _ = await self._post("traces", [writing.trace_document(one) for one in exchanges], UPLOAD_S)
        return status

    async def _post(self, what: str, documents: list[dict[str, Any]], within_s: float) -> tuple[int, Any, bytes]:
        merged = {"resourceSpans": [one for document in documents for one in document["resourceSpans"]]}
        data, again = msgspec.json.encode(merged), True
        while True:
            try:
                async with timeout(within_s):
                    async with self._client.post(
                        f"{self._base_url}/v1/{what}", data=data, headers=_JSON, allow_redirects=False
                    ) as answer:
                        return answer.status, answer.headers, await answer.read()
            except aiohttp.ServerDisconnectedError as fault:
                if not again:
                    raise Unavailable("Pharos closed the connection.") from fault
                again = False  # the kept connection had just been closed by the server: nobody read the question
            except TimeoutError as fault:
                raise Unavailable(f"Pharos did not answer {what} within {within_s:g} s.") from fault
            except (aiohttp.ClientError, OSError) as fault:
                raise Unavailable(f"Pharos cannot be reached at {self._base_url}.") from fault

    async def close(self) -> None:
        await self._client.close()
