"""Suspend, resume or destroy the instances that were ticked in the list."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from config.api.permissions import OPERATOR
from config.pages import page
from fleet.instances.listing import in_order_of
from fleet.instances.models import Instance
from fleet.lifecycle.bulk import act_on_all
from fleet.lifecycle.forms import ManyForm
from fleet.providers.base import DESTROY, RESUME, SUSPEND
from fleet.providers.services import in_use

MOST = 50
NAMED = 5
WORDS = {
    SUSPEND: ("Suspend", "Machines with a driver are stopped; the others only count as suspended."),
    RESUME: ("Resume", "Machines with a driver are started; the others count as running."),
    DESTROY: (
        "Destroy",
        "Machines with a driver are removed for good; the others keep running, but their records leave the list and "
        "the keys that were made for their agents stop working.",
    ),
}


@page(OPERATOR)
def bulk(request: HttpRequest) -> HttpResponse:
    """GET says what will happen to which; POST does it and shows what came of it for each."""
    given = request.POST if request.method == "POST" else request.GET
    action = given.get("action", "")
    if action not in WORDS:
        raise Http404
    ids = list(dict.fromkeys(one for one in given.getlist("instance") if "\x00" not in one))[:MOST]
    instances = in_order_of(ids, Instance.objects.visible_to(request.principal))
    verb, explanation = WORDS[action]
    form = ManyForm(request.POST or None, count=len(instances)) if action == DESTROY else None
    context = {
        "action": action,
        "verb": verb,
        "explanation": explanation,
        "instances": instances,
        "named": [(one, in_use(one)["title"]) for one in instances[:NAMED]],
        "more": max(0, len(instances) - NAMED),
        "form": form,
    }
    agreed = request.method == "POST" and bool(instances) and (form is None or form.is_valid())
    if agreed:
        results = act_on_all(
            ids=[one.pk for one in instances],
            action=action,
            actor=request.principal,
            request=request,
            backup_first=bool(form and form.cleaned_data["back_up_first"]),
        )
        context |= {"results": results, "succeeded": sum(one.error is None for one in results)}
    return render(request, "fleet/instances_bulk.html", context)
