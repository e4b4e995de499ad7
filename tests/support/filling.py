"""What a product is filled with before its pages are looked at."""

from tests.support.console import Console, wait_for


def lines(console: Console, instance: str) -> str:
    """Lines of every level; the id of the last."""
    told = [("DEBUG", "cache is warm"), ("INFO", "GET /cart 200"), ("WARN", "queue is slow"), ("ERROR", "time out")]
    facts = {"instanceId": instance, "source": "APP", "metadata": {"path": "/var/log/shop.log"}}
    for level, message in told:
        line = console.post("/api/v1/logs/ingest", facts | {"level": level, "message": message}, expect=201)
    return line["id"]


def depth(console: Console, instance: str) -> None:
    """A gauge that a collector tells."""
    host = {"attributes": [{"key": "host.id", "value": {"stringValue": instance}}]}
    metric = {"name": "queue.depth", "gauge": {"dataPoints": [{"asInt": "7"}]}}
    group = {"resource": host, "scopeMetrics": [{"metrics": [metric]}]}
    console.post("/api/v1/otel/v1/metrics", {"resourceMetrics": [group]})


def load(console: Console) -> dict[str, str]:
    """A saved request with all around it, and a short load run of it that kept one limit and missed another."""
    base, token = "/api/loadtest", {"value": "hush", "enabled": True, "secret": True}
    collection = console.post(f"{base}/collections", {"name": "Shop", "variables": {"path": "/healthz"}})["id"]
    host = {"value": console.url, "enabled": True}
    variables = {"host": host, "token": token}
    environment = console.post(f"{base}/environments", {"name": "Here", "isActive": True, "variables": variables})["id"]
    url, headers = "{{host}}{{path}}?x={{nowhere}}", {"X-Token": "{{token}}"}
    saved = {"collectionId": collection, "name": "Health", "method": "GET", "url": url, "headers": headers}
    request = console.post(f"{base}/requests", saved)["id"]
    order = {"method": "GET", "url": url, "requestId": request, "environmentId": environment, "iterations": 300}
    limits = {"latencyP95Ms": 60_000, "maxErrorRatePct": 0, "minThroughputRps": 1_000_000}
    run = console.post(f"{base}/run", order | {"comment": "before the release", "thresholds": limits})["runId"]
    wait_for("the load run", lambda: console.get(f"{base}/run/{run}")["status"] == "completed", timeout_s=90)
    return {"collection": collection, "environment": environment, "request": request, "load": run}


def exchange(session: str, method: str, path: str, **told: str | int) -> dict:
    """A trace document that asks about an outbound request, or with `told` reports one."""
    told = {"sp.span.type": "inject", "sp.session.id": session, "sp.traffic.direction": "outbound"} | told
    told |= {"http.request.method": method, "url.host": "bank.example:8443", "url.path": path}
    pairs = [
        {"key": key, "value": {"intValue": value} if isinstance(value, int) else {"stringValue": value}}
        for key, value in told.items()
    ]
    one = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "attributes": pairs}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}


def replay(console: Console) -> dict[str, str]:
    """A session that answered, passed on and refused, and a case with both sides of exchanges."""
    base = "/api/replay/v1"
    session = console.post(f"{base}/sessions", {"mode": "replay", "policy": {"externalHttp": "strict"}}, expect=201)
    session_id = session["sessionId"]
    rules = [
        {"id": "ledger", "when": {"method": "GET", "path": "/ledger"}, "then": {"action": "mock", "response": {}}},
        {"id": "pay", "when": {"method": "POST", "path": "/pay"}, "then": {"action": "mock"}, "consume": "once"},
    ]
    console.post(f"{base}/sessions/{session_id}/rules", {"version": 1, "rules": rules})
    console.post(f"{base}/inject", exchange(session_id, "GET", "/ledger?page=1"), expect=200)
    console.post(f"{base}/inject", exchange(session_id, "PUT", "/accounts/17"), expect=599)
    answer: dict[str, str | int] = {"http.response.status_code": 200, "http.response.body": '{"balance": 17}'}
    header = {"http.request.header.accept": "application/json", "http.response.header.content-type": "application/json"}
    told: dict[str, str | int] = {"sp.span.type": "extract", **header, **answer}
    traces = [exchange("", "GET", f"/ledger?page={number}", **told) for number in range(3)]
    case = {"version": "1.0.0", "caseId": "checkout", "traces": traces}
    capture = console.post("/api/replay/cases/import", case, expect=201)["captureId"]
    rows = f"{base}/sessions/{session_id}/journal"
    wait_for("the journal", lambda: len(console.get(rows)["entries"]) == 2)
    refused = console.get(f"{rows}?result=refused")["entries"][0]["id"]
    return {"replay": session_id, "capture": capture, "refused": refused}
