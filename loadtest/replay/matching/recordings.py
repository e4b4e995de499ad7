"""The captured responses of a case, found again for the action `replay` (contract §7.3)."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from loadtest.replay.matching.redaction import REDACTED
from loadtest.replay.spans import reading
from loadtest.replay.spans.exchange import Exchange, Response

# What belonged to the connection or to the length of the bytes as they were captured.
OF_THE_WIRE = frozenset(
    ("connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)
Line = tuple[str, str, str, str]  # direction, method, host, path
Query = tuple[tuple[str, str], ...]


class Recordings:
    """Index over a case, built once a revision.

    `found` are those that may answer, in captured order; the call number n (from 0) of the same `identity` is
    answered by `found[min(n, len(found) - 1)]`.
    """

    def __init__(self, case: Mapping[str, Any] | None) -> None:
        # Under each line: all, those of a query, those of a body, those of both.
        self._under: dict[tuple[Line, Query | None, bytes | None], list[Exchange]] = defaultdict(list)
        for document in (case or {}).get("traces", ()):
            for span in reading.spans(document):
                exchange = reading.exchange(span)
                if exchange.response and exchange.kind in ("extract", "inject"):
                    for query in (None, _query(exchange)):
                        for body in (None, exchange.body_bytes):
                            self._under[(_line(exchange), query, body)].append(exchange)

    def found(self, exchange: Exchange) -> list[Exchange]:
        """Those of the same request line; of these the ones with its query and then with its body, when any has."""
        line = _line(exchange)
        query: Query | None = _query(exchange)
        if (line, query, None) not in self._under:
            query = None
        return self._under.get((line, query, exchange.body_bytes)) or self._under.get((line, query, None)) or []

    def answer(self, exchange: Exchange, turn: int) -> Response | None:
        """The response to the call number `turn` (from 0), None when nothing was captured."""
        found = self.found(exchange)
        return replayed(found[min(turn, len(found) - 1)]) if found else None


def replayed(exchange: Exchange) -> Response | None:
    """The captured response without the headers of its connection and without redacted values."""
    if exchange.response is None:
        return None
    kept = tuple(
        (name, value) for name, value in exchange.response.headers if name not in OF_THE_WIRE and value != REDACTED
    )
    return Response(exchange.response.status, kept, exchange.response.body)


def identity(exchange: Exchange) -> str:
    """Hex SHA-256 of direction, method, host, path, sorted query and body: one cursor each."""
    told = repr((_line(exchange), _query(exchange))).encode(errors="surrogatepass")
    return hashlib.sha256(told + b"\0" + exchange.body_bytes).hexdigest()


def _line(exchange: Exchange) -> Line:
    return exchange.direction, exchange.method.upper(), exchange.host, exchange.path


def _query(exchange: Exchange) -> Query:
    return tuple(sorted(parse_qsl(exchange.query, keep_blank_values=True, errors="surrogateescape")))
