"""Paging services, which keep an incident of their own: opened, and closed by its end, under one key."""

import json
from typing import Any
from urllib.parse import quote

from alerts.channels.transports import http
from alerts.channels.transports.messages import Message
from config.api.fields import milliseconds

PAGERDUTY_SEVERITY = {"CRITICAL": "critical", "HIGH": "error", "MEDIUM": "warning", "LOW": "info", "INFO": "info"}
NOT_YET = "Nothing to send: other alerts of its group are still open"
OPSGENIE_PRIORITY = {"CRITICAL": "P1", "HIGH": "P2", "MEDIUM": "P3", "LOW": "P4", "INFO": "P5"}


def incident_key(message: Message) -> str:
    """The same for all messages of one group of alerts, which is one incident to the service."""
    return f"pharos-{message.stream or 'test'}"


def pagerduty(config: dict[str, Any], message: Message) -> str:
    """An event of the Events API, version 2."""
    if message.resolved and not message.over:
        return NOT_YET
    base = config.get("api_url", "https://events.pagerduty.com").rstrip("/")
    body: dict[str, Any] = {
        "routing_key": config["routing_key"],
        "event_action": "resolve" if message.resolved else "trigger",
        "dedup_key": incident_key(message),
    }
    if not message.resolved:
        body["payload"] = {
            "summary": message.headline[:1024],
            "source": message.subject,
            "severity": PAGERDUTY_SEVERITY[message.severity],
            "timestamp": milliseconds(message.fired_at),
            "group": message.rule_name,
            "custom_details": {"text": message.text[:3000], "metadata": message.metadata},
        }
        body["links"] = [{"href": message.url, "text": "Open the alert"}]
    headers = {"Content-Type": "application/json"}
    return http.send("POST", f"{base}/v2/enqueue", headers=headers, body=json.dumps(body).encode())


def opsgenie(config: dict[str, Any], message: Message) -> str:
    """An alert under an alias, closed by that alias."""
    if message.resolved and not message.over:
        return NOT_YET
    base = config.get("api_url", "https://api.opsgenie.com").rstrip("/")
    alias = incident_key(message)
    headers = {"Content-Type": "application/json", "Authorization": f"GenieKey {config['api_key']}"}
    if message.resolved:
        url = f"{base}/v2/alerts/{quote(alias, safe='')}/close?identifierType=alias"
        return http.send("POST", url, headers=headers, body=b'{"source":"Pharos"}')
    body = {
        "message": message.headline[:130],
        "alias": alias,
        "description": f"{message.text[:3000]}\n{message.url}",
        "priority": OPSGENIE_PRIORITY[message.severity],
        "entity": message.subject[:512],
        "source": "Pharos",
    }
    return http.send("POST", f"{base}/v2/alerts", headers=headers, body=json.dumps(body).encode())
