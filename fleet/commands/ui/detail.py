"""One command: what it was, how it stands on each instance, what it prints, and what can be done with it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from config.api.errors import Conflict, Invalid, TooLarge, Unavailable
from config.api.permissions import DEVELOPER, OPERATOR, VIEWER
from config.pages import page
from fleet.commands import printed, queries, services, tasks
from fleet.commands.models import Approval, Batch, Execution
from fleet.commands.specs import Spec


@page(VIEWER)
def command(request: HttpRequest, pk: str) -> HttpResponse:
    """The page of a batch, or of one of its executions."""
    return render(request, "fleet/command.html", about(request, pk))


@page(VIEWER)
def body(request: HttpRequest, pk: str) -> HttpResponse:
    """All of it but the frame, for the live update."""
    return render(request, "fleet/command_body.html", about(request, pk))


@page(VIEWER)
def output(request: HttpRequest, pk: str) -> HttpResponse:
    """All that one execution printed, as a text file."""
    execution = queries.get_visible(execution_id=pk, principal=request.principal)
    headers = {"Content-Disposition": f'attachment; filename="{execution.pk}.txt"'}
    return HttpResponse(printed.whole(execution), content_type="text/plain; charset=utf-8", headers=headers)


@page(DEVELOPER)
@require_POST
def act(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """Cancel, run again, approve or reject; then the page of what came of it."""
    if name not in ACTS:
        raise Http404
    batch, executions = queries.get_batch(batch_id=pk, principal=request.principal)
    try:
        done, sentence = ACTS[name](request, batch, executions)
    except (Conflict, Invalid, TooLarge, Unavailable) as refusal:
        messages.error(request, refusal.message)
        return redirect("ui:command", pk=pk)
    messages.success(request, sentence)
    return redirect("ui:command", pk=done.pk)


def _cancel(request: HttpRequest, batch: Batch, executions: list[Execution]) -> tuple[Batch, str]:
    """All that are open, or the one that `execution` names."""
    only = request.POST.get("execution", "")
    chosen = [one for one in executions if not one.is_over and only in ("", one.pk)]
    if not chosen:
        raise Conflict("The command is over already.")
    for execution in chosen:
        services.cancel(execution=execution, actor=request.principal, request=request)
    return batch, "The command is being cancelled."


def _again(request: HttpRequest, batch: Batch, executions: list[Execution]) -> tuple[Batch, str]:
    role = OPERATOR if len(executions) > 1 and not batch.has_script else DEVELOPER
    ids = [execution.instance_id for execution in executions]
    instances = services.targets(instance_ids=ids, principal=request.principal, role=role)
    again = services.ask(spec=Spec.of_batch(batch), instances=instances, actor=request.principal, request=request)
    return started(again), "This is the new run."


def started(batch: Batch) -> Batch:
    """Send it, unless a second person has to agree first."""
    if batch.approval != Approval.WAITING:
        tasks.send.delay(batch.pk)
    return batch


def _decide(approve: bool) -> Any:
    def decide(request: HttpRequest, batch: Batch, executions: list[Execution]) -> tuple[Batch, str]:
        note = request.POST.get("note", "").replace("\x00", "").strip()[:500]
        services.decide(batch=batch, approve=approve, note=note, actor=request.principal, request=request)
        return (started(batch), "Approved. It runs now.") if approve else (batch, "Rejected. It will not run.")

    return decide


ACTS = {"cancel": _cancel, "again": _again, "approve": _decide(True), "reject": _decide(False)}


def _script(batch: Batch) -> str | None:
    """The text of a script, for those who may run such: who agrees to it has to read it."""
    try:
        return Spec.of_batch(batch).script if batch.has_script else None
    except Unavailable as error:  # the vault has another key now
        return error.message


def about(request: HttpRequest, pk: str) -> dict[str, Any]:
    batch, executions = queries.get_batch(batch_id=pk, principal=request.principal)
    alone = [execution for execution in executions if execution.pk == pk]
    shown, principal = alone or executions, request.principal
    teams = {execution.instance.team_id for execution in executions}
    may_run = not principal.is_agent and all(principal.may(DEVELOPER, team_id=team) for team in teams)
    may_bulk = all(principal.may(OPERATOR, team_id=team) for team in teams)
    waiting = batch.approval == Approval.WAITING
    return {
        "batch": batch,
        "targets": printed.targets(shown),
        "alone": alone[0] if alone and len(executions) > 1 else None,
        "others": len(executions) - len(shown),
        "state": printed.state(batch, shown),
        "open": any(not execution.is_over for execution in shown),
        "may_run": may_run,
        "may_repeat": may_run and (may_bulk or len(executions) == 1 or batch.has_script),
        "may_decide": waiting and may_bulk and principal.user.pk != batch.user_id,
        "waiting": waiting,
        "script": _script(batch) if may_run else None,
        "page_key": pk,
        "part_url": reverse("ui:command-body", args=[pk]),
        "api_path": f"/api/v1/commands/{shown[0].pk}",
    }
