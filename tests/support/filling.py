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
