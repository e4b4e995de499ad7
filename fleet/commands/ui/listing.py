"""The history of commands: of all instances, and of one."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.api.permissions import DEVELOPER, VIEWER
from config.pages import page
from fleet.commands import queries
from fleet.commands.models import Approval, Status
from fleet.instances.listing import state_of
from fleet.instances.queries import get_visible

PER_PAGE = 50
WAITING = "waiting"  # for a second person
STATES = ((WAITING, "Waiting for approval"), *((value.lower(), text) for value, text in Status.choices))


@page(VIEWER)
def commands(request: HttpRequest) -> HttpResponse:
    """What was run where, the newest first."""
    return render(request, "fleet/commands.html", listed(request))


@page(VIEWER)
def rows(request: HttpRequest) -> HttpResponse:
    """The table alone, for the live update."""
    return render(request, "fleet/command_rows.html", listed(request, instance_id=request.GET.get("instance", "")))


@page(VIEWER)
def of_instance(request: HttpRequest, pk: str) -> HttpResponse:
    """The commands of one instance."""
    found = get_visible(instance_id=pk, principal=request.principal)
    context = listed(request, instance_id=found.pk)
    context |= {"instance": found, "state": state_of(found, timezone.now()), "tab": "commands"}
    return render(request, "fleet/instance_commands.html", context)


def listed(request: HttpRequest, *, instance_id: str = "") -> dict[str, Any]:
    """The page of the list that the address asks for; what it does not know counts as not chosen."""
    given = {name: request.GET.get(name, "").replace("\x00", "").strip()[:128] for name in ("q", "state")}
    state = given["state"] if given["state"] in dict(STATES) else ""
    found = queries.history(
        request.principal, instance_id=instance_id.replace("\x00", ""), search=given["q"],
        status="" if state == WAITING else state.upper(), approval=Approval.WAITING if state == WAITING else "",
    )  # fmt: skip
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    if instance_id:
        query["instance"] = instance_id
    return {
        "page": shown,
        "rows": list(shown.object_list),
        "q": given["q"],
        "chosen": state,
        "states": STATES,
        "filtered": bool(given["q"] or state),
        "of_one": bool(instance_id),
        "clear_url": request.path,
        "rows_url": f"{reverse('ui:command-rows')}?{query.urlencode()}",
        "may_run": request.principal.may_somewhere(DEVELOPER),
        "commands_path": "/api/v1/commands/history" + (f"?instanceId={instance_id}" if instance_id else ""),
    }
