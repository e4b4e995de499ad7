"""What a body of POST /request asks for (contract: load testing §9.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.api.errors import Invalid
from loadtest.composing.bodies import type_of
from loadtest.composing.compose import method_of
from loadtest.composing.rows import rows
from loadtest.runs.fields import Fields
from loadtest.workspace import configuration

MAX_SCRIPT = 256 * 1024
DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request to send at once. `definition` holds the members that `composing.compose` reads."""

    definition: Mapping[str, Any]
    request_id: str | None
    environment_id: str | None
    before: str  # the pre-request script
    after: str
    timeout_ms: int
    follow_redirects: bool
    max_redirects: int
    verify: bool


def read(body: dict[str, Any]) -> Asked:
    """The request in a body. Raises Invalid, naming the field; what only substitution can tell is not looked at."""
    fields = Fields(body)
    for name in ("method", "url"):
        if not fields.text(name, 1 << 16).strip():
            raise Invalid(f"Missing '{name}' field")
    method = method_of(fields.text("method", 64).strip())
    for name in ("headers", "params"):
        rows(body.get(name), name)
    if not isinstance(body.get("body"), str | Mapping | None):
        raise Invalid("'body' must be text or an object")
    type_of(body.get("body"), body.get("bodyType"))
    fields.mapping("auth")
    return Asked(
        definition=body | {"method": method},
        request_id=_id(fields, "requestId"),
        environment_id=_id(fields, "environmentId"),
        before=fields.text("preRequestScript", MAX_SCRIPT),
        after=fields.text("postRequestScript", MAX_SCRIPT),
        timeout_ms=fields.integer("timeout", 0, 1, DAY_MS) or configuration.value("defaultTimeout"),
        follow_redirects=fields.boolean("followRedirects", True),
        max_redirects=fields.integer("maxRedirects", 10, 0, 100),
        verify=fields.boolean("verifySSL", True),
    )


def _id(fields: Fields, name: str) -> str | None:
    """An id, known or not; None for none. Raises Invalid for what can be no id (contract: load testing §1.1)."""
    found = fields.text(name, 128)
    if not found.isprintable():
        raise Invalid(f"'{name}' holds a character that no id has")
    return found or None
