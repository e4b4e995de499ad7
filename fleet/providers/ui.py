"""The page on which an administrator says which driver acts on an instance."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from config.api.errors import ApiError
from config.api.permissions import ADMIN
from config.pages import page, show_errors
from fleet.instances.queries import get_visible
from fleet.providers import services
from fleet.providers.drivers import DRIVERS
from fleet.providers.forms import ABOUT, form_for


@page(ADMIN)
def driver(request: HttpRequest, pk: str) -> HttpResponse:
    """GET shows the form of the chosen driver (`?driver=`), else of the one in use; POST binds the instance to it."""
    found = get_visible(instance_id=pk, principal=request.principal)
    used = services.in_use(found)
    given = request.POST if request.method == "POST" else request.GET
    chosen = given.get("driver") or used["driver"]
    chosen = chosen if chosen in DRIVERS else "none"
    before = services.describe(found) or {"driver": None, "target": "", "options": {}}
    initial = {"target": before["target"], **before["options"]} if chosen == before["driver"] else {}
    form = form_for(chosen, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.bind(
                instance=found,
                driver=chosen,
                target=form.cleaned_data.get("target", ""),
                options=services.unshown(found, form.options()),
                actor=request.principal,
                request=request,
            )
        except ApiError as refusal:
            show_errors(form, refusal)
        else:
            messages.success(request, f"{found.name}: {DRIVERS[chosen].title}.")
            return redirect("ui:instance", pk=found.pk)
    choices = [(name, kind.title) for name, kind in DRIVERS.items()]
    context = {"instance": found, "used": used, "chosen": chosen, "choices": choices, "about": ABOUT[chosen]}
    return render(request, "fleet/instance_driver.html", context | {"form": form}, status=400 if form.errors else 200)
