"""One request, executed at once (contract: load testing §9)."""

from typing import Any

from config.api.authentication import Principal
from config.api.errors import ApiError
from loadtest.composing.compose import ComposeError, Prepared, compose
from loadtest.composing.secrets import secrets_in
from loadtest.runs.masking import without
from loadtest.runs.models import Run
from loadtest.runs.services import begin_design_run, record_design_run
from loadtest.scripting.limits import configured
from loadtest.workspace import opening, queries
from loadtest.workspace.models import SavedRequest

from . import answers, asked
from .delivery import Delivery, deliver, undeliverable
from .places import place
from .scripts import Scripts


def send(*, body: dict[str, Any], actor: Principal | None) -> dict[str, Any]:
    """Run the pre-request script, send, run the test script, keep what changed; returns the answer of §9.2.

    Raises Invalid for a body that cannot be read and for a request that cannot be put together, TooMany when this
    process already sends as many as it may. Whatever the target does is an answer.
    """
    order = asked.read(body)
    with place():
        opened = opening.scopes_for(body, order.request_id, order.environment_id, actor=actor)
        scripts = Scripts(
            asked=order,
            scopes=opened.scopes,
            from_vault=opened.found,
            limits=configured(),
            request_name=_name(order.request_id),
        )
        secrets = _secrets(scripts)
        run = begin_design_run(body=body, actor=actor, timeout_s=_longest_s(order, scripts), secrets=secrets)
        try:
            return _execute(run, scripts, secrets, actor)
        except Exception as error:
            message = error.message if isinstance(error, ApiError) else "The request could not be carried out"
            failed = undeliverable("INTERNAL_ERROR", message)
            record_design_run(run=run, result=answers.kept(None, failed, secrets), message=message)
            raise


def _execute(run: Run, scripts: Scripts, secrets: list[str], actor: Principal | None) -> dict[str, Any]:
    definition, before = scripts.before()
    prepared, delivery = _deliver(definition, scripts)
    after = scripts.after(prepared, delivery)
    scripts.keep(actor)
    secrets = [*secrets, *_secrets(scripts)]
    result = answers.kept(prepared, delivery, secrets)
    record_design_run(run=run, result=result, message=result.get("error", ""))
    answer = answers.answer(run.pk, prepared, delivery, before, after)
    return without(answer, secrets) if scripts.from_vault else answer  # who may use a secret may not read it


def _deliver(definition: Any, scripts: Scripts) -> tuple[Prepared | None, Delivery]:
    request_id = scripts.asked.request_id
    try:
        prepared = compose(definition, scripts.scopes, queries.inherited_auth(request_id) if request_id else None)
    except ComposeError as error:
        if not error.error_code:
            raise
        return None, undeliverable(error.error_code, error.message)
    return prepared, deliver(prepared, scripts.asked)


def _longest_s(order: asked.Asked, scripts: Scripts) -> float:
    return (order.timeout_ms + 2 * scripts.limits.timeout_ms) / 1000


def _name(request_id: str | None) -> str:
    found = SavedRequest.objects.filter(pk=request_id).values_list("name", flat=True).first() if request_id else None
    return found or ""


def _secrets(scripts: Scripts) -> list[str]:
    """What nobody may read in the run: secret variables, the credentials of its own auth and of an inherited one."""
    request_id, own = scripts.asked.request_id, scripts.asked.definition.get("auth")
    return secrets_in(scripts.scopes, own, queries.inherited_auth(request_id) if request_id else None)
