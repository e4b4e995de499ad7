"""Pages of rules."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from alerts.evaluation.preview import preview as looked_at
from alerts.rules import conditions, queries, services
from alerts.rules.forms import KINDS, RuleForm, initial_of
from alerts.rules.models import Rule
from config.api.errors import ApiError, Invalid
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from fleet.instances.models import Instance, InstanceQuerySet

PER_PAGE = 50
TABS = {"threshold": "A figure passes a limit", "lifecycle": "Something happens to an instance"}


@page(VIEWER)
def rules(request: HttpRequest) -> HttpResponse:
    found = queries.visible(request.principal)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    may_operate = [rule.pk for rule in shown.object_list if request.principal.may(OPERATOR, team_id=rule.team_id)]
    rows = [(rule, conditions.sentence(rule.type, rule.conditions), rule.pk in may_operate) for rule in shown]
    context = {"page": shown, "rows": rows, "may_add": request.principal.may(OPERATOR)}
    return render(request, "alerts/rules.html", context)


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """A new rule; the kind is chosen first and is in the address."""
    require(request.principal, OPERATOR)
    kind = request.GET.get("kind", "threshold")
    kind = kind if kind in KINDS else "threshold"
    given = {name: request.GET.get(name, "")[:128] for name in ("instance", "metric")}
    form = RuleForm(request.POST or None, kind=kind, instances=_choice(request), initial=given)
    if request.method == "POST" and (rule := _saved(request, form, None)):
        messages.success(request, f"{rule.name} is saved and is looked at within seconds.")
        return redirect("ui:alert-rules")
    return _form_page(request, form, {"heading": "New rule", "kinds": TABS.items()})


@page(OPERATOR)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    rule = _operable(request, pk)
    kind = next(kind for kind, type in KINDS.items() if type == rule.type)
    form = RuleForm(request.POST or None, kind=kind, instances=_choice(request), initial=initial_of(rule))
    if request.method == "POST" and (changed := _saved(request, form, rule)):
        messages.success(request, f"{changed.name} is saved.")
        return redirect("ui:alert-rules")
    return _form_page(request, form, {"heading": f"Edit {rule.name}", "rule": rule})


def _form_page(request: HttpRequest, form: RuleForm, context: dict[str, Any]) -> HttpResponse:
    context |= {"form": form, "preview_url": f"{reverse('ui:alert-rule-preview')}?kind={form.kind}"}
    return render(request, "alerts/rule_form.html", context, status=422 if form.errors else 200)


def _saved(request: HttpRequest, form: RuleForm, rule: Rule | None) -> Rule | None:
    """The stored rule; None when something is wrong, which the form then tells."""
    if not form.is_valid():
        return None
    fields = form.wire()
    try:
        if rule is None:
            return services.create_rule(actor=request.principal, request=request, **fields)
        return services.change_rule(rule=rule, actor=request.principal, request=request, **fields)
    except ApiError as error:
        form.show_faults(error.details or {"": [error.message]})
    return None


@page(OPERATOR)
def preview(request: HttpRequest) -> HttpResponse:
    """For which instances the rule being typed would fire now, as a part of the form."""
    kind = request.GET.get("kind", "threshold")
    form = RuleForm(request.GET, kind=kind if kind in KINDS else "threshold", instances=_choice(request))
    form.full_clean()
    context: dict[str, Any] = {}
    try:
        wanted = conditions.checked(KINDS[form.kind], form.conditions())
    except Invalid:
        context["incomplete"] = True
    else:
        rule = Rule(type=KINDS[form.kind], conditions=wanted, instance=form.cleaned_data.get("instance"))
        context["preview"] = looked_at(rule, request.principal, timezone.now())
        context["sentence"] = conditions.sentence(rule.type, wanted)
    return render(request, "alerts/rule_preview.html", context)


@require_POST
@page(OPERATOR)
def switch(request: HttpRequest, pk: str, on: bool) -> HttpResponse:
    rule = services.set_enabled(rule=_operable(request, pk), enabled=on, actor=request.principal, request=request)
    messages.success(request, f"{rule.name} is switched {'on' if on else 'off; its open alerts were resolved'}.")
    return redirect("ui:alert-rules")


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    """Asked first: the rule's alerts go with it."""
    rule = _operable(request, pk)
    if request.method == "POST":
        services.delete_rule(rule=rule, actor=request.principal, request=request)
        messages.success(request, f"{rule.name} is deleted.")
        return redirect("ui:alert-rules")
    return render(request, "alerts/rule_delete.html", {"rule": rule})


def _choice(request: HttpRequest) -> InstanceQuerySet:
    return Instance.objects.visible_to(request.principal).existing()


def _operable(request: HttpRequest, pk: str) -> Rule:
    rule = queries.get_visible(principal=request.principal, rule_id=pk)
    require(request.principal, OPERATOR, team_id=rule.team_id)
    return rule
