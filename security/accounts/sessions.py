"""The session engine: Django's, kept in our own table so that a person's sessions can be listed and ended."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from config.ids import cuid

SEEN_EVERY = timedelta(minutes=5)


class SessionStore(DatabaseStore):
    """Copies from the session's data what the table is searched by. The public id never opens the session."""

    @classmethod
    def get_model_class(cls) -> Any:
        from security.accounts.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        now = timezone.now()
        data.setdefault("id", cuid())
        data.setdefault("started_at", now.isoformat())
        data.setdefault("seen_at", now.isoformat())
        row: Any = super().create_model_instance(data)
        row.public_id = data["id"]
        row.user_id = data.get("_auth_user_id")
        row.ip_address = data.get("ip_address", "")
        row.user_agent = data.get("user_agent", "")
        row.started_at = datetime.fromisoformat(data["started_at"])
        row.seen_at = datetime.fromisoformat(data["seen_at"])
        return row


def keep(session: Any, now: datetime) -> None:
    """Move the end of a session that is in use: its seven days count from the last visit."""
    seen = session.get("seen_at")
    if seen is None or now - datetime.fromisoformat(seen) > SEEN_EVERY:
        session["seen_at"] = now.isoformat()
