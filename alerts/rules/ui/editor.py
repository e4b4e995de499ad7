"""The editor of a rule, and what it says while the rule is typed."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from alerts.backtest.services import backtest, chart_of
from alerts.evaluation.preview import preview as looked_at
from alerts.rules import services, words
from alerts.rules.forms import KINDS, RuleForm, initial_of
from alerts.rules.models import Rule
from alerts.rules.ui.detail import operable
from config.api.errors import ApiError
from config.api.permissions import OPERATOR
from config.pages import page
from fleet.instances.models import Instance
from security.accounts.models import Team

TABS = {
    "threshold": "A figure passes a limit",
    "anomaly": "A figure is unusual",
    "lifecycle": "Something happens to an instance",
    "security": "Something is unsafe",
    "cost": "It costs too much",
}


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """A new rule; the kind is chosen first and is in the address."""
    given = {name: request.GET.get(name, "")[:128] for name in ("instance", "metric")}
    form = _form(request, request.POST or None, _kind(request), initial=given)
    if request.method == "POST" and not _tried(request) and (rule := _saved(request, form, None)):
        messages.success(request, f"{rule.name} is saved and is looked at within seconds.")
        return redirect("ui:alert-rules")
    return _form_page(request, form, {"heading": "New rule", "kinds": TABS.items()})


@page(OPERATOR)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    rule = operable(request, pk)
    form = _form(request, request.POST or None, rule.type.lower(), initial=initial_of(rule))
    if request.method == "POST" and not _tried(request) and (changed := _saved(request, form, rule)):
        messages.success(request, f"{changed.name} is saved.")
        return redirect("ui:alert-rule", pk=changed.pk)
    return _form_page(request, form, {"heading": f"Edit {rule.name}", "rule": rule})


def _form_page(request: HttpRequest, form: RuleForm, context: dict[str, Any]) -> HttpResponse:
    wrong = bool(form.errors) and not _tried(request)
    context |= {
        "form": form,
        "preview_url": f"{reverse('ui:alert-rule-preview')}?kind={form.kind}",
        "show_errors": wrong,
    }
    if request.method == "POST" and _tried(request):
        context |= findings(request, form)
    return render(request, "alerts/rule_form.html", context, status=422 if wrong else 200)


@page(OPERATOR)
def preview(request: HttpRequest) -> HttpResponse:
    """For what the rule being typed would fire now and would have fired, as a part of the form."""
    form = _form(request, request.GET, _kind(request))
    context = findings(request, form)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse(context.get("chart") or {"series": []})
    return render(request, "alerts/rule_preview.html", context)


def findings(request: HttpRequest, form: RuleForm) -> dict[str, Any]:
    """What a rule that may not be complete would do; `incomplete` when nobody can tell yet."""
    form.full_clean()
    try:
        rule = services.built(actor=request.principal, **form.wire())
    except ApiError as error:
        return {"incomplete": True, "fault": None if form.errors else error.message}
    now = timezone.now()
    trial = backtest(rule, request.principal, now=now)
    return {
        "preview": looked_at(rule, request.principal, now),
        "sentence": words.sentence(rule.type, rule.conditions),
        "refinements": words.refinements(rule),
        "several": rule.match_window > 1,
        "trial": trial,
        "chart": chart_of(trial),
        "chart_url": f"{reverse('ui:alert-rule-preview')}?{_typed(request)}",
    }


def _typed(request: HttpRequest) -> str:
    """What was typed, as the address from which the chart gets its data again."""
    typed = (request.GET if request.method == "GET" else request.POST).copy()
    typed.pop("csrfmiddlewaretoken", None)
    typed.setdefault("kind", request.GET.get("kind", "threshold"))
    return typed.urlencode()


def _tried(request: HttpRequest) -> bool:
    """The button that only asks what the rule would do: the way without scripts."""
    return "try" in request.POST


def _kind(request: HttpRequest) -> str:
    kind = request.GET.get("kind", "threshold")
    return kind if kind in KINDS else "threshold"


def _form(request: HttpRequest, data: Any, kind: str, **more: Any) -> RuleForm:
    instances = Instance.objects.visible_to(request.principal).existing()
    return RuleForm(data, kind=kind, instances=instances, teams=_teams(request), **more)


def _teams(request: HttpRequest) -> QuerySet[Team]:
    """Those for which the person may make rules."""
    teams = Team.objects.order_by("name", "pk")
    if request.principal.sees_all:
        return teams
    own = [team for team in request.principal.teams if request.principal.may(OPERATOR, team_id=team)]
    return teams.filter(pk__in=own)


def _saved(request: HttpRequest, form: RuleForm, rule: Rule | None) -> Rule | None:
    """The stored rule; None when something is wrong, which the form then tells."""
    if not form.is_valid():
        return None
    fields = form.named()
    try:
        if rule is None:
            return services.create_rule(actor=request.principal, request=request, **fields)
        return services.change_rule(rule=rule, actor=request.principal, request=request, **fields)
    except ApiError as error:
        form.show_faults(error.details or {"": [error.message]})
    return None
