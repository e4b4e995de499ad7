"""The two scripts around a request: what they are told, and what they change (contract: load testing §9.1, §15.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from config.api.authentication import Principal
from loadtest.composing.compose import Prepared
from loadtest.composing.rows import plain, rows
from loadtest.composing.variables import Scopes
from loadtest.scripting.facts import PRE_REQUEST, TEST, Changes, Facts, Limits, Outcome, Request, Response
from loadtest.scripting.sandbox import run_script
from loadtest.workspace.services import merged, write_back
from security.vault.references import taken_out

from .asked import Asked
from .delivery import Delivery

_TEXTUAL = ("content", "type", "mode")


@dataclass
class Scripts:
    """Both scripts of one execution, and the variables as they are after each."""

    asked: Asked
    scopes: Scopes
    limits: Limits
    request_name: str = ""
    from_vault: Mapping[str, str] = field(default_factory=dict, repr=False)
    changes: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def before(self) -> tuple[Mapping[str, Any], Outcome]:
        """Run the pre-request script: the definition to send, and what the script did."""
        definition = self.asked.definition
        headers = [
            (name, plain(value, f"headers.{name}")) for name, value in rows(definition.get("headers"), "headers")
        ]
        draft = Request(definition["method"], definition["url"], headers, _shown(definition.get("body")))
        outcome = self._run(self.asked.before, PRE_REQUEST, draft, None)
        return (_changed(definition, outcome.request) if outcome.request else definition), outcome

    def after(self, sent: Prepared | None, delivery: Delivery) -> Outcome:
        """Run the test script over what was sent and what came back."""
        definition = self.asked.definition
        request = Request(definition["method"], definition["url"])
        if sent:
            request = Request(sent.method, sent.url, sent.headers, sent.body.decode(errors="replace"))
        return self._run(self.asked.after, TEST, request, _response(delivery))

    def keep(self, actor: Principal | None) -> None:
        """Write back the variables that either script changed, and no others; of a secret its reference is kept."""
        changes = {
            scope: {name: value and taken_out(value, self.from_vault) for name, value in changed.items()}
            for scope, changed in self.changes.items()
        }
        if any(changes.values()):
            write_back(
                actor=actor,
                request_id=self.asked.request_id,
                environment_id=self.asked.environment_id,
                **changes,
            )

    def _run(self, text: str, event: str, request: Request, response: Response | None) -> Outcome:
        facts = Facts(
            event=event,
            request=request,
            response=response,
            environment=self.scopes.environment if self.asked.environment_id else None,
            collections=self.scopes.collections,
            globals=self.scopes.globals,
            local=self.scopes.local,
            request_id=self.asked.request_id or "",
            request_name=self.request_name,
        )
        outcome = run_script(text, facts, self.limits)
        self._take(outcome)
        return outcome

    def _take(self, outcome: Outcome) -> None:
        for name in ("environment", "collection", "globals"):
            self.changes.setdefault(name, {}).update(getattr(outcome, name))
        nearest, *others = self.scopes.collections or ({},)
        near = _merged(nearest, outcome.collection)
        self.scopes = replace(
            self.scopes,
            environment=_merged(self.scopes.environment, outcome.environment),
            collections=(near, *others) if self.scopes.collections else (),
            globals=_merged(self.scopes.globals, outcome.globals),
            local=outcome.local,
        )


def _merged(variables: Mapping[str, Any], changes: Changes) -> Mapping[str, Any]:
    return merged(variables, changes) if changes else variables


def _shown(body: Any) -> Any:
    """A body as scripts see it: the text where it is one, else the object."""
    if isinstance(body, Mapping) and isinstance(body.get("content"), str) and set(body) <= set(_TEXTUAL):
        return body["content"]
    return "" if body is None else body


def _changed(definition: Mapping[str, Any], request: Request) -> Mapping[str, Any]:
    """The definition as a script left it. A text replaces the content and keeps the type."""
    body, given = request.body, definition.get("body")
    if body == _shown(given):
        body = given
    elif isinstance(body, str) and isinstance(given, Mapping) and (given.get("type") or given.get("mode")) != "none":
        body = {name: given[name] for name in ("type", "mode") if name in given} | {"content": body}
    headers = [{"key": name, "value": value} for name, value in request.headers]
    return {**definition, "method": request.method, "url": request.url, "headers": headers, "body": body}


def _response(delivery: Delivery) -> Response:
    timing = delivery.timing
    line = len(f"HTTP/1.1 {delivery.code} {delivery.reason}\r\n\r\n") if delivery.code else 0
    return Response(
        code=delivery.code,
        reason=delivery.reason,
        headers=tuple(delivery.headers.items()),
        text=delivery.content.text,
        time_ms=timing["total"],
        wire_ms=timing["wire"],
        queue_wait_ms=timing["queueWait"],
        body_size=len(delivery.content.data),
        header_size=line + sum(len(name) + len(value) + 4 for name, value in delivery.headers.items()),
        error_code=delivery.error_code,
        error_message=delivery.error_message,
    )
