"""Pages of rotations: what is due, entering one, and noting that it was done."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.api.errors import Invalid
from config.api.permissions import OPERATOR, VIEWER, raised_door
from config.pages import page, show_errors
from fleet.instances.queries import get_visible as visible_instance
from security.rotations import services
from security.rotations.forms import RotationForm
from security.rotations.models import Rotation

PER_PAGE = 50
SOON = timedelta(days=14)
PLACE = {"place": "rotations"}


@page(VIEWER)
def rotations(request: HttpRequest) -> HttpResponse:
    """The due list, overdue ones first; `overdue=yes` and `instance` in the address narrow it."""
    now, pk = timezone.now(), request.GET.get("instance", "")
    about = visible_instance(instance_id=pk, principal=request.principal) if pk else None
    whole = Rotation.objects.visible_to(request.principal).current()
    whole = whole.filter(instance=about) if about else whole
    late = whole.overdue(now)
    only_late = bool(request.GET.get("overdue"))
    found = (late if only_late else whole).select_related("instance").most_urgent_first()
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    least = raised_door(OPERATOR)
    context = PLACE | {
        "page": shown,
        "rows": [
            (one, state_of(one, now), request.principal.may(least, team_id=one.instance.team_id)) for one in shown
        ],
        "only_late": only_late,
        "about": about,
        "counts": (whole.count(), late.count()),
        "may_enter": request.principal.may_somewhere(least),
    }
    return render(request, "security/rotations.html", context)


@page(VIEWER)
def new(request: HttpRequest) -> HttpResponse:
    """A rotation, or the change of the one with that name on the instance."""
    now = timezone.now()
    initial = {"instance_id": request.GET.get("instance", "")[:64]}
    form = RotationForm(request.POST or None, initial=initial, principal=request.principal)
    if request.method == "POST" and form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if value is not None}
        instance = visible_instance(instance_id=given.pop("instance_id"), principal=request.principal)
        try:
            made = services.enter(instance=instance, actor=request.principal, now=now, request=request, **given)
        except Invalid as error:
            show_errors(form, error)
        else:
            messages.success(request, f"Saved: {made.secret_name} on {instance.name}.")
            return redirect("ui:security-rotations")
    context = PLACE | {"form": form}
    return render(request, "security/rotation_form.html", context, status=422 if form.errors else 200)


@require_POST
@page(VIEWER)
def rotate(request: HttpRequest, pk: str) -> HttpResponse:
    """Note that it has a new value since now."""
    found = services.get_visible(principal=request.principal, pk=pk)
    services.rotate(rotation=found, actor=request.principal, now=timezone.now(), request=request)
    messages.success(request, f"Noted: {found.secret_name} on {found.instance.name} was rotated now.")
    return redirect("ui:security-rotations")


def state_of(rotation: Rotation, now: datetime) -> str:
    """overdue, soon (within 14 days) or current."""
    if rotation.due_at is None or rotation.is_overdue(now):
        return "overdue"
    return "soon" if rotation.due_at <= now + SOON else "current"
