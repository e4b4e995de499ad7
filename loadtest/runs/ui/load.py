"""From a request to a load: the form, the curve that it draws while it is typed, the start."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, NotFound
from config.api.permissions import OPERATOR, require
from config.pages import page
from loadtest.frame import frame
from loadtest.runs import services
from loadtest.runs.masking import MASK
from loadtest.runs.models import Run
from loadtest.runs.ui import subject
from loadtest.runs.ui.forms import MODES, LoadForm, initial_of
from loadtest.runs.ui.planned import planned
from loadtest.workspace import builder, requests
from loadtest.workspace.models import Environment, SavedRequest
from security.vault.crypto import Unreadable, decrypt, encrypt

SEALED = "loadtest.load-form"  # what the form carries from page to page, credentials included
REQUEST_PARTS = (
    *("method", "url", "params", "headers", "body", "auth"),
    *("followRedirects", "maxRedirects", "verifySSL", "timeout"),
)

Target = dict[str, Any]


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """The form: for a saved request (`?request=`), a run to do again (`?run=`), or what the workspace sends."""
    require(request.principal, OPERATOR)
    initial: dict[str, Any] = {}
    if request.method == "POST":
        target = of_form(request)
    elif run_id := request.GET.get("run", ""):
        run = subject.get(run_id)
        target, initial = of_run(run), initial_of(run.config)
    else:
        target = of_saved(request.GET.get("request", ""), request.GET.get("environment", ""))
    return shown(request, target, LoadForm(initial=with_defaults(initial)))


@page(OPERATOR)
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Start the run and go to its page."""
    require(request.principal, OPERATOR)
    try:
        target: Target = json.loads(decrypt(request.POST.get("definition", ""), context=SEALED))
    except Unreadable:
        messages.error(request, "This form is out of date. Choose the request again.")
        return redirect("ui:loadtest")
    form = LoadForm(request.POST)
    if form.is_valid():
        try:
            run = services.start(body=target["body"] | form.wire(), actor=request.principal, request=request)
        except ApiError as refusal:
            form.show_fault(refusal)
        else:
            return redirect("ui:load-run", pk=run.pk)
    return shown(request, target, form)


@page(OPERATOR)
@require_POST
def plan(request: HttpRequest) -> HttpResponse:
    """What the fields mean, as a part of the form."""
    return render(request, "loadtest/plan.html", {"plan": planned(LoadForm(request.POST))})


def shown(request: HttpRequest, target: Target, form: LoadForm) -> HttpResponse:
    body = target["body"]
    sealed = encrypt(json.dumps(target), context=SEALED)
    environment = Environment.objects.filter(pk=body.get("environmentId")).values_list("name", flat=True).first()
    place = {"request": body["requestId"]} if body.get("requestId") else {}
    back = reverse("ui:loadtest") + (f"?{urlencode(place)}" if place else "")
    context = {
        **frame(request, "requests"),
        "target": {"sealed": sealed, "environment": environment, "name": target["name"], **body},
        "form": form,
        "modes": [(mode, *words) for mode, words in MODES.items()],
        "more": form.part("comment", "tests", "sample_every", "slow_ms"),
        "plan": planned(form if form.is_bound else LoadForm(form.initial)),
        "back_url": back,
    }
    return render(request, "loadtest/load.html", context, status=422 if form.errors else 200)


def with_defaults(initial: dict[str, Any]) -> dict[str, Any]:
    """Every field has a first value, so that the curve shows at once what would run."""
    known = {name: field.initial for name, field in LoadForm.base_fields.items() if field.initial is not None}
    return {"mode": next(iter(MODES)).value} | known | initial


def of_form(request: HttpRequest) -> Target:
    """The request as the workspace's builder holds it, saved or not."""
    row = SavedRequest.objects.filter(pk=request.POST.get("id") or None).first()
    definition = builder.definition_of(request.POST, requests.shown(row, clear=True) if row else None)
    body = builder.sendable(definition, request.POST.get("environment"))
    return {"name": definition["name"] or f"{body['method']} {body.get('url', '')}", "body": body}


def of_saved(request_id: str, environment_id: str) -> Target:
    row = SavedRequest.objects.filter(pk=request_id).first()
    if row is None:
        raise NotFound(f"Request '{request_id}' not found")
    return {"name": row.name, "body": builder.sendable(requests.shown(row, clear=True), environment_id)}


def of_run(run: Run) -> Target:
    """What a run sent. Credentials are not kept with a run: if there were any, the saved request is taken as it is."""
    saved = SavedRequest.objects.filter(pk=run.request_id).first() if run.request_id else None
    if saved and MASK in json.dumps(run.config):
        return of_saved(saved.pk, run.environment_id or "")
    body = {name: run.config[name] for name in REQUEST_PARTS if name in run.config}
    links = {"requestId": run.request_id, "environmentId": run.environment_id}
    name = saved.name if saved else f"{run.config.get('method', '')} {run.config.get('url', '')}"
    return {"name": name, "body": body | {key: value for key, value in links.items() if value}}
