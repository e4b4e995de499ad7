"""The packages of one instance: to search in, to take away, to hand in."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, Forbidden, Invalid, NotFound
from config.api.permissions import OPERATOR, VIEWER, raised_door, require
from config.pages import page
from fleet.agents import calling
from fleet.instances.listing import state_of
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from security.bom import documents, queries
from security.bom.cyclonedx.reading import MOST_BYTES
from security.bom.models import Installed, Source

PER_PAGE = 100
LONGEST_WORDS = 128


@page(VIEWER)
def packages(request: HttpRequest, pk: str) -> HttpResponse:
    """What is installed, who says so and since when; a POST hands in a CycloneDX document."""
    found = get_visible(instance_id=pk, principal=request.principal)
    faults: list[str] = []
    if request.method == "POST":
        try:
            _take(request, found)
        except (Forbidden, NotFound):
            raise
        except ApiError as error:
            faults = [error.message, *(error.details or {}).get("packages", [])[:5]]
        else:
            return redirect("ui:instance-packages", pk=found.pk)
    context = shown(request, found) | {"faults": faults}
    return render(request, "security/instance_packages.html", context, status=422 if faults else 200)


packages.most_bytes = MOST_BYTES + 1024 * 1024  # the form around the file


@require_POST
@page(OPERATOR)
def ask(request: HttpRequest, pk: str) -> HttpResponse:
    """Have the agent look now; its answer comes when it is ready."""
    found = get_visible(instance_id=pk, principal=request.principal)
    require(request.principal, OPERATOR, team_id=found.team_id)
    if found.online_at(timezone.now()):
        calling.send(found.pk, "inventory:request", {})
        told = f"The agent of {found.name} was asked. Its list is here in a moment: load the page again."
        messages.success(request, told)
    else:
        messages.error(request, f"{found.name} is silent: its agent cannot be asked now.")
    return redirect("ui:instance-packages", pk=found.pk)


def shown(request: HttpRequest, found: Instance) -> dict[str, Any]:
    """The list with its filter, and what is known of where it comes from."""
    now, principal = timezone.now(), request.principal
    words = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_WORDS]
    counts = queries.by_ecosystem(queries.components(found))
    ecosystem = request.GET.get("ecosystem", "")
    ecosystem = ecosystem if ecosystem in counts else ""
    rows = queries.components(found, ecosystem)
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(source_name__icontains=words))
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    said = Installed.objects.filter(instance=found, component_id__in=[row.pk for row in shown])
    sources: dict[int, list[str]] = {}
    for component_id, source in said.order_by("source").values_list("component_id", "source"):
        sources.setdefault(component_id, []).append("agent" if source == Source.AGENT else "upload")
    return {
        "instance": found,
        "state": state_of(found, now),
        "tab": "packages",
        "page": shown,
        "rows": [(row, " and ".join(sources.get(row.pk, []))) for row in shown],
        "counts": counts,
        "total": sum(counts.values()),
        "words": words,
        "ecosystem": ecosystem,
        "inventories": queries.inventories(found),
        "statements": found.vex_statements.count(),
        "may_upload": principal.may(raised_door(OPERATOR), team_id=found.team_id),
        "may_ask": principal.may(OPERATOR, team_id=found.team_id),
        "most": MOST_BYTES,
        "export_path": f"/api/v1/security/bom/{found.pk}/cyclonedx",
        "api_path": f"/api/v1/security/bom?instanceId={found.pk}",
    }


def _take(request: HttpRequest, found: Instance) -> None:
    """Take over the chosen file and say what came of it. Raises ApiError."""
    upload = request.FILES.get("file")
    if upload is None:
        raise Invalid("Choose a file.")
    if upload.size > MOST_BYTES:
        raise Invalid(f"The file is larger than {MOST_BYTES >> 20} MiB.")
    done = documents.take(
        instance=found, document=upload.read(), actor=request.principal, now=timezone.now(), request=request
    )
    messages.success(request, "Taken over. " + " ".join(documents.told(done)))
    for note in done.notes:
        messages.warning(request, f"{note[:1].upper()}{note[1:]}.")
