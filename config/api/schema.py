"""OpenAPI: what a document of one base URL holds. The views that serve it are in `documents`."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from config.api.permissions import ANYONE, needed_role

DOCUMENTS = {
    "v1": ("Fleet console", "/api/v1/"),
    "monitors": ("Scheduled monitors", "/api/(monitors|runs|alerts|agents|settings)"),
    "loadtest": ("Load testing", "/api/loadtest/"),
    "signals": ("Signals", "/api/signals/"),
    "replay": ("Replay", "/api/replay/"),
}


class ApiSchema(AutoSchema):
    """Tells in each operation which role it needs."""

    def get_description(self) -> str:
        role = needed_role(self.view, self.method)
        text = super().get_description() or ""
        return text if role in (None, ANYONE) else f"{text}\n\nNeeds the role {role}.".strip()

    def get_summary(self) -> str | None:
        """The first line of what the operation says of itself, for the list."""
        return (super().get_description() or "").strip().partition("\n")[0].rstrip(".") or None

    def get_tags(self) -> list[str]:
        """The slice that the view lies in."""
        parts = type(self.view).__module__.split(".")
        return [(parts[1] if len(parts) > 2 else parts[0]).capitalize()]


def _only(prefix: str, endpoints: list[Any]) -> list[Any]:
    import re

    return [endpoint for endpoint in endpoints if re.match(prefix, endpoint[0])]


def only_v1(endpoints: list[Any]) -> list[Any]:
    return _only(DOCUMENTS["v1"][1], endpoints)


def only_monitors(endpoints: list[Any]) -> list[Any]:
    return _only(DOCUMENTS["monitors"][1], endpoints)


def only_loadtest(endpoints: list[Any]) -> list[Any]:
    return _only(DOCUMENTS["loadtest"][1], endpoints)


def only_signals(endpoints: list[Any]) -> list[Any]:
    return _only(DOCUMENTS["signals"][1], endpoints)


def only_replay(endpoints: list[Any]) -> list[Any]:
    """The routes take a second slash after the base, which nobody needs to know of."""
    return [(path.replace("//", "/"), *more) for path, *more in _only(DOCUMENTS["replay"][1], endpoints)]
