"""The page on which a person writes a command, and the one on which it is read before it runs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from config.api.errors import ApiError, Forbidden, NotFound
from config.api.permissions import DEVELOPER, OPERATOR
from config.pages import page, show_errors
from fleet.commands import choosing, rules, services
from fleet.commands.bodies import MOST_TARGETS
from fleet.commands.forms import CommandForm
from fleet.commands.specs import Spec
from fleet.commands.ui.detail import started
from fleet.instances.models import Instance


@page(DEVELOPER)
def new(request: HttpRequest) -> HttpResponse:
    """Write a command; what concerns several instances, or is a script, is shown once more before it runs."""
    given = request.POST if request.method == "POST" else request.GET
    of_script = given.get("kind") == "script"
    if request.method != "POST":
        form = CommandForm(initial={"targets": ticked(request)}, of_script=of_script)
        return show(request, form)
    form = CommandForm(request.POST, of_script=of_script)
    spec, instances = read(request, form)
    if spec is None or form.errors:
        return show(request, form, status=422)
    careful = len(instances) > 1 or of_script or bool(rules.needing_approval(spec, targets=len(instances)))
    if careful and request.POST.get("confirmed") != ",".join(instance.pk for instance in instances):
        return show(request, form, spec=spec, instances=instances)
    batch = services.ask(spec=spec, instances=instances, actor=request.principal, request=request)
    return redirect("ui:command", pk=started(batch).pk)


@page(DEVELOPER)
def targets(request: HttpRequest) -> HttpResponse:
    """The instances that the field means, while it is typed."""
    text = request.GET.get("targets", "")
    context: dict[str, Any] = {"asked": bool(text.strip())}
    if text.strip():
        try:
            context["instances"] = choosing.named(text[:8000], principal=request.principal)
        except ApiError as error:
            context["fault"] = error.message
    return render(request, "fleet/command_targets.html", context)


def read(request: HttpRequest, form: CommandForm) -> tuple[Spec | None, list[Instance]]:
    """What the form asks for; faults are told in the form."""
    if not form.is_valid():
        return None, []
    spec = form.spec()
    try:
        instances = choosing.named(form.cleaned_data["targets"], principal=request.principal)
        role = OPERATOR if len(instances) > 1 and not form.of_script else DEVELOPER
        ids = [instance.pk for instance in instances]
        return spec, services.targets(instance_ids=ids, principal=request.principal, role=role)
    except (Forbidden, NotFound) as refusal:
        form.add_error("targets", refusal.message)
    except ApiError as error:
        show_errors(form, error)
    return None, []


def ticked(request: HttpRequest) -> str:
    """The names of the instances that another page sent along."""
    ids = [one for one in request.GET.getlist("instance") if "\x00" not in one][:MOST_TARGETS]
    rows = Instance.objects.visible_to(request.principal).existing().filter(pk__in=ids)
    return ", ".join(rows.order_by("name", "pk").values_list("name", flat=True))


def show(
    request: HttpRequest, form: CommandForm, *, spec: Spec | None = None, instances: Any = (), status: int = 200
) -> HttpResponse:
    """The form; with `spec` the page that asks whether this is meant."""
    context: dict[str, Any] = {"form": form, "of_script": form.of_script}
    if spec is None:
        return render(request, "fleet/command_new.html", context, status=status)
    context |= {
        "spec": spec,
        "instances": instances,
        "confirmed": ",".join(instance.pk for instance in instances),
        "rule": rules.needing_approval(spec, targets=len(instances)),
    }
    return render(request, "fleet/command_review.html", context)
