"""Chat services that take one JSON message at an address that is itself the secret."""

import json
from typing import Any

from alerts.channels.transports import http
from alerts.channels.transports.messages import Message
from alerts.channels.transports.slack import COLOURS

JSON = {"Content-Type": "application/json"}
LONGEST = 3000  # characters of a text, below what each service takes


def _post(url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> str:
    return http.send("POST", url, headers=JSON | (headers or {}), body=json.dumps(body).encode())


def teams(config: dict[str, Any], message: Message) -> str:
    """An adaptive card to a workflow of Microsoft Teams."""
    facts = [{"title": name, "value": value} for name, value in _facts(message).items()]
    blocks = [
        {"type": "TextBlock", "text": message.headline, "weight": "Bolder", "size": "Medium", "wrap": True},
        {"type": "TextBlock", "text": message.text[:LONGEST], "wrap": True},
        {"type": "FactSet", "facts": facts},
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": "Open the alert", "url": message.url}],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _post(config["webhook_url"], {"type": "message", "attachments": [content]})


def discord(config: dict[str, Any], message: Message) -> str:
    """One embed; nobody is mentioned whatever the text says."""
    embed = {
        "title": message.headline[:256],
        "description": message.text[:LONGEST],
        "url": message.url,
        "color": int(COLOURS[message.severity].lstrip("#"), 16),
        "fields": [{"name": name, "value": value[:1024], "inline": True} for name, value in _facts(message).items()],
    }
    return _post(config["webhook_url"], {"embeds": [embed], "allowed_mentions": {"parse": []}})


def google_chat(config: dict[str, Any], message: Message) -> str:
    return _post(config["webhook_url"], {"text": _plain(message)})


def telegram(config: dict[str, Any], message: Message) -> str:
    """A message of a bot, as plain text: nothing in it is read as markup."""
    base = config.get("api_url", "https://api.telegram.org").rstrip("/")
    body = {"chat_id": config["chat_id"], "text": _plain(message), "disable_web_page_preview": True}
    return _post(f"{base}/bot{config['bot_token']}/sendMessage", body)


def ntfy(config: dict[str, Any], message: Message) -> str:
    """To a topic of ntfy; its JSON form goes to the server's root."""
    base = config.get("api_url", "https://ntfy.sh").rstrip("/")
    priority = {"CRITICAL": 5, "HIGH": 4, "MEDIUM": 3, "LOW": 2, "INFO": 2}[message.severity]
    body = {
        "topic": config["topic"],
        "title": message.headline,
        "message": message.text[:LONGEST],
        "priority": 3 if message.resolved else priority,
        "click": message.url,
    }
    token = config.get("token")
    return _post(base, body, {"Authorization": f"Bearer {token}"} if token else None)


def _facts(message: Message) -> dict[str, str]:
    facts = {"Severity": message.severity, "Rule": message.rule_name, "About": message.subject}
    return facts | ({"On call": message.recipient.label} if message.recipient else {})


def _plain(message: Message) -> str:
    facts = ", ".join(f"{name}: {value}" for name, value in _facts(message).items())
    return f"{message.headline}\n{message.text[:LONGEST]}\n{facts}\n{message.url}"
