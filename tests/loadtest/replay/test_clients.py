"""What the known clients send, byte for byte, and what they need to read (contract: traffic replay §10, §14)."""

import json
import re

import pytest

from loadtest.replay.sessions import measuring
from tests.loadtest.replay.conftest import FLAT, STRICT, WIRE, ask, case, put_rules, rule, span, start, told

pytestmark = pytest.mark.django_db


def post(client, path, body=None, *, kind="application/json", **headers):
    """A request with exactly this body and type; `None` sends neither, as a bare POST does."""
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.generic("POST", path, raw, "" if body is None else kind, headers=headers)


@pytest.mark.parametrize(
    ("base", "created"),
    [("/api/replay", 201), ("", 200)],
    ids=["Python: the prefix is kept", "JavaScript and Java: the prefix is dropped"],
)
def test_an_sdk_from_start_to_close(operator, base, created):
    """Scenarios 1 and 2. The Java SDK reads numbers of 32 bits, and a JSON object in every 2xx."""
    answers = [post(operator, f"{base}/v1/sessions", b'{"mode": "replay"}')]
    assert answers[0].status_code == created
    session = answers[0].json()["sessionId"]
    one = f"{base}/v1/sessions/{session}"
    recorded = case(span("extract", status=200, body='{"paid": true}', method="POST"), suite="checkout")
    answers.append(post(operator, f"{one}/load-case", recorded))
    # findInCase runs in the SDK, on its own copy; it then posts the whole list of mocks each time.
    label = "id" if base else "name"
    mock = {
        label: "ledger", "priority": 100, "consume": "many",
        "when": {"direction": "outbound", "method": "POST", "host": "bank.example", "path": "/ledger"},
        "then": {"action": "mock", "response": {
            "status": 200, "headers": {"content-type": "application/json"}, "body": '{"paid": true}',
        }},
    }  # fmt: skip
    for mocks in ([mock], [mock, mock | {"when": {"host": "other.example"}}]):
        answers.append(post(operator, f"{one}/rules", {"version": 1, "rules": mocks}))
    answers.append(post(operator, f"{one}/policy", STRICT))
    answers.append(post(operator, f"{one}/fixtures/auth", {"tokens": ["t"], "cookies": [], "metadata": {"a": 1}}))
    hit = told(ask(operator, session, base=f"{base}/v1", method="POST", host="bank.example:443"))
    assert hit["http.response.body"] == '{"paid": true}'
    assert ask(operator, session, base=f"{base}/v1", host="third.example").status_code == 599
    answers.append(post(operator, f"{one}/rules", {"version": 1, "rules": []}))
    assert ask(operator, session, base=f"{base}/v1", method="POST").status_code == 599
    answers.append(operator.get(f"{one}/stats"))
    answers.append(post(operator, f"{one}/close", b"{}"))
    for answer in answers:
        assert 200 <= answer.status_code < 300 and isinstance(answer.json(), dict)
        numbers = re.findall(r"-?\d+[.\d]*", re.sub(r'"(?:\\.|[^"\\])*"', "", answer.text))
        assert all("." not in text and abs(int(text)) < 2**31 for text in numbers), answer.text
    gone = post(operator, f"{one}/rules", {"version": 1, "rules": []})
    assert gone.status_code == 404
    if not base:  # all SDKs tell an unknown session by the nested form
        assert gone.json()["error"] == {"code": "unknown_session", "message": f"no open session '{session}'"}


def test_the_command_line_client(operator):
    """Scenario 3, over the root: it refuses any status but 200, and reads exit codes from status and nested code."""
    health = operator.get("/health")
    assert health.json()["specVersion"] == "http-control-api@v1" and health.json()["schemaVersion"] == "1"
    meta = operator.get(f"{WIRE}/meta").json()
    assert meta["schemaVersion"] == "1" and {"case.schema.json", "rule.schema.json"} <= set(meta["supportedSchemas"])
    session = post(operator, f"{WIRE}/sessions", {"mode": "capture"})
    assert session.status_code == 200 and session.json()["sessionRevision"] == 0
    one = f"{WIRE}/sessions/{session.json()['sessionId']}"
    revisions = [
        post(operator, f"{one}/policy", {"externalHttp": "strict", "defaultOnMiss": "error"}).json(),
        post(operator, f"{one}/load-case", case(span("extract", status=204))).json(),
        post(operator, f"{one}/rules", {"version": 1, "rules": [rule("passthrough", hostSuffix="example")]}).json(),
    ]
    assert [answer["sessionRevision"] for answer in revisions] == [1, 2, 3]
    state = operator.get(f"{one}/state").json()
    assert state["policy"]["externalHttp"] == "strict" and state["caseSummary"]["traceCount"] == 1
    stats = operator.get(f"{one}/stats").json()
    assert stats["stats"]["injectedSpans"] == stats["injectedSpans"] == 0
    closed = post(operator, f"{one}/close?out=suite.case.json")
    assert closed.status_code == 200 and "capturePath" not in closed.json()
    document = json.loads(operator.get(f"{WIRE}/captures/{session.json()['sessionId']}").getvalue())
    assert document["version"] == "1.0.0" and document["traces"] == []
    assert post(operator, f"{one}/close").json()["error"]["code"] == "unknown_session", "exit code 4"
    assert post(operator, f"{WIRE}/sessions", b"").status_code == 400, "exit code 5"


def test_two_sessions_do_not_mix(operator):
    """Scenario 6."""
    first, second = start(operator), start(operator, policy=STRICT)
    put_rules(operator, first, rule(body="of the first", consume="once"))
    assert ask(operator, second).status_code == 599
    put_rules(operator, second, rule(body="of the second"))
    assert told(ask(operator, first))["http.response.body"] == "of the first"
    assert [told(ask(operator, second))["http.response.body"] for _ in range(2)] == ["of the second"] * 2
    assert ask(operator, first).status_code == 404
    counts = [operator.get(f"{FLAT}/sessions/{one}/stats").json()["stats"] for one in (first, second)]
    assert [(one["injectedSpans"], one["strictMisses"]) for one in counts] == [(1, 0), (2, 1)]


def test_figures_on_metrics(operator):
    before = measuring.INJECTS.labels("miss")._value.get()
    ask(operator, start(operator))
    ask(operator, "sess_none")
    text = operator.get("/metrics").content.decode()
    assert f'softprobe_inject_requests_total{{result="miss"}} {before + 2}' in text
    for name in ('sessions_total{mode="replay"}', "inject_latency_seconds_bucket", "extract_spans_total"):
        assert f"softprobe_{name}" in text
