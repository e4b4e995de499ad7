"""The page of policies: who is told next, who is on call now, what is told together, what depends on what."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from alerts.dependencies.queries import visible
from alerts.grouping.models import Grouping
from alerts.labels.matchers import in_words
from alerts.labels.pages import delete_page, form_page
from alerts.policies import queries
from alerts.policies.api import PolicySerializer, RotationSerializer
from alerts.policies.forms import PolicyForm, RotationForm, initial_of, initial_of_rotation
from alerts.policies.models import Rotation
from alerts.policies.oncall import on_call, turn_at
from config.api.permissions import OPERATOR, VIEWER
from config.pages import page

POLICY: dict[str, Any] = {"resource": "alert_policy", "noun": "Policy"}
ROTATION: dict[str, Any] = {"resource": "on_call_rotation", "noun": "Rotation"}
MOST = 200  # rows of each kind


@page(VIEWER)
def policies(request: HttpRequest) -> HttpResponse:
    context = {
        "policies": [(one, in_words(one.matchers), steps(one)) for one in queries.policies()[:MOST]],
        "rotations": [whose(one) for one in queries.rotations()[:MOST]],
        "groupings": [(one, in_words(one.matchers)) for one in Grouping.objects.order_by("position", "name")[:MOST]],
        "dependencies": list(visible(request.principal)[:MOST]),
        "may_operate": request.principal.may(OPERATOR),
    }
    return render(request, "alerts/policies.html", context)


def steps(policy: Any) -> list[dict[str, Any]]:
    """The steps with when each comes, counted from the alert, and who is told now."""
    found, after_s, now = [], 0, timezone.now()
    for step in sorted(policy.steps.all(), key=lambda one: one.number):
        after_s += step.after_s
        person = on_call(step.rotation, now) if step.rotation else None
        found.append({"step": step, "after_s": after_s, "person": person})
    return found


def whose(rotation: Rotation) -> dict[str, Any]:
    """Who has it now, and until when."""
    now = timezone.now()
    return {"rotation": rotation, "person": on_call(rotation, now), "turn": turn_at(rotation, now)}


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    return form_page(request, PolicyForm(request.POST or None), PolicySerializer, row=None, **POLICY)


@page(OPERATOR)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    row = queries.get_policy(pk)
    form = PolicyForm(request.POST or None, initial=initial_of(row))
    return form_page(request, form, PolicySerializer, row=row, **POLICY)


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    row = queries.get_policy(pk)
    return delete_page(request, row, facts=PolicySerializer(row).data, **POLICY)


@page(OPERATOR)
def new_rotation(request: HttpRequest) -> HttpResponse:
    return form_page(request, RotationForm(request.POST or None), RotationSerializer, row=None, **ROTATION)


@page(OPERATOR)
def edit_rotation(request: HttpRequest, pk: str) -> HttpResponse:
    row = queries.get_rotation(pk)
    form = RotationForm(request.POST or None, initial=initial_of_rotation(row))
    return form_page(request, form, RotationSerializer, row=row, **ROTATION)


@page(OPERATOR)
def delete_rotation(request: HttpRequest, pk: str) -> HttpResponse:
    row = queries.get_rotation(pk)
    return delete_page(request, row, facts=RotationSerializer(row).data, **ROTATION)
