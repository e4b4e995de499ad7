"""What tests of replay share: both mounts, documents, and the writers brought into the test's own transaction."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from loadtest.replay.captures import keeping
from loadtest.replay.dataplane import api as doors
from loadtest.replay.dataplane import callers, inject, loaded, standing, uploads
from loadtest.replay.sessions import journal

FLAT, WIRE = "/api/replay/v1", "/v1"
STRICT = {"externalHttp": "strict"}


@pytest.fixture(autouse=True)
def within_the_test(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Answers are counted where the test's rows are; the journal is written when a test asks for it."""
    loaded.sessions.clear()
    callers.callers.clear()
    if request.node.get_closest_marker("django_db") and request.node.get_closest_marker("slow"):
        yield  # with threads and commits, as in the product
        assert journal.writer.flush(10)
        return

    async def settled(ask: Any) -> None:
        await sync_to_async(standing.settle)([ask])

    async def stored(upload: Any) -> None:
        await sync_to_async(keeping.store)([upload])

    async def query(function: Callable, *arguments: Any) -> Any:
        return await sync_to_async(function)(*arguments)

    lines: list[Any] = []
    for module in (inject, uploads, doors):
        monkeypatch.setattr(module, "query", query)
    monkeypatch.setattr(inject, "settled", settled)
    monkeypatch.setattr(uploads, "stored", stored)
    monkeypatch.setattr(journal.writer, "queue", lines.extend)
    monkeypatch.setattr(journal.writer, "flush", lambda timeout_s: (journal.write(lines), lines.clear()))
    yield


@pytest.fixture
def operator(api: Callable) -> Any:
    return api("OPERATOR")


def start(client: Any, mode: str = "replay", base: str = FLAT, **more: Any) -> str:
    """The id of a new session."""
    answer = client.post(f"{base}/sessions", {"mode": mode, **more})
    assert answer.status_code in (200, 201), answer.content
    return answer.json()["sessionId"]


def rule(then: dict | str = "mock", *, body: Any = "mocked", **keys: Any) -> dict[str, Any]:
    """A rule; keys of `when` and `priority`, `consume`, `id`."""
    own = {name: keys.pop(name) for name in ("priority", "consume", "id") if name in keys}
    if then == "mock":
        then = {"action": "mock", "response": {"status": 200, "body": body}}
    return {**own, "when": keys, "then": then if isinstance(then, dict) else {"action": then}}


def put_rules(client: Any, session: str, *rules: dict, base: str = FLAT) -> Any:
    answer = client.post(f"{base}/sessions/{session}/rules", {"version": 1, "rules": list(rules)})
    assert answer.status_code == 200, answer.content
    return answer.json()


def span(kind: str, session: str = "", **attributes: Any) -> dict[str, Any]:
    """A trace document of one span; `status` and `body` are those of its response, `more` other attributes."""
    pairs: dict[str, Any] = {
        "sp.span.type": kind,
        "sp.traffic.direction": attributes.pop("direction", "outbound"),
        "url.host": attributes.pop("host", "bank.example"),
        "url.path": attributes.pop("path", "/ledger"),
        "http.request.method": attributes.pop("method", "GET"),
    }
    pairs |= {"sp.session.id": session} if session else {}
    for name, attribute in (("status", "http.response.status_code"), ("body", "http.response.body")):
        if name in attributes:
            pairs[attribute] = attributes.pop(name)
    pairs |= attributes.pop("more", {})
    pairs = {name: value for name, value in pairs.items() if value is not None}
    listed = [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in pairs.items()
    ]
    one = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "attributes": listed}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [one | {"name": "call"}]}]}]}


def ask(client: Any, session: str, base: str = FLAT, **attributes: Any) -> Any:
    """What `/v1/inject` answers, as JSON."""
    return client.post(
        f"{base}/inject", span("inject", session, **attributes), headers={"Accept": "application/json"}
    )  # fmt: skip


def told(answer: Any) -> dict[str, Any]:
    """The attributes of a hit."""
    assert answer.status_code == 200, answer.content
    pairs = answer.json()["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]
    return {pair["key"]: next(iter(pair["value"].values())) for pair in pairs}


def report(client: Any, session: str = "", base: str = FLAT, **attributes: Any) -> Any:
    """What `/v1/traces` answers to one exchange."""
    return client.post(f"{base}/traces", span("extract", session, **{"status": 200, "body": "ok"} | attributes))


def stats(client: Any, session: str, base: str = FLAT) -> dict[str, Any]:
    return client.get(f"{base}/sessions/{session}/stats").json()


def case(*traces: dict, case_id: str = "refund-flow", **more: Any) -> dict[str, Any]:
    return {"version": "1.0.0", "caseId": case_id, "traces": list(traces), **more}


def read(answer: Any) -> Any:
    """The JSON of a streamed answer."""
    assert answer.status_code == 200
    return json.loads(b"".join(answer.streaming_content))
