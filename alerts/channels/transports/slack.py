"""One attachment to an incoming webhook of Slack or of what speaks its form (contract: fleet console §11)."""

import json
from typing import Any

from alerts.channels.transports import http
from alerts.channels.transports.messages import Message
from config.api.fields import milliseconds

COLOURS = {"CRITICAL": "#FF0000", "HIGH": "#FF6600", "MEDIUM": "#FFA500", "LOW": "#0099FF", "INFO": "#999999"}


def send(config: dict[str, Any], message: Message) -> str:
    options = {name: config[name] for name in ("channel", "username", "icon_emoji") if config.get(name)}
    body = json.dumps({**options, "attachments": [attachment(message)]}).encode()
    return http.send("POST", config["webhook_url"], headers={"Content-Type": "application/json"}, body=body)


def attachment(message: Message) -> dict[str, Any]:
    facts = {
        "Severity": message.severity,
        "Rule": message.rule_name,
        "Instance": message.subject,
        "Fired At": milliseconds(message.fired_at),
    }
    return {
        "color": COLOURS[message.severity],
        "fallback": message.headline,
        "title": message.headline,
        "title_link": message.url,
        "text": message.text,
        "fields": [{"title": title, "value": value, "short": True} for title, value in facts.items()],
        "ts": int(message.fired_at.timestamp()),
    }
