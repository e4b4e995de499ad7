"""Pages of secrets. No page holds a value but the one that reveals it, for half a minute."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from config.api.errors import ApiError, NotFound
from config.api.permissions import ADMIN, OPERATOR, VIEWER, require
from config.pages import page, show_errors
from security.vault import queries, services
from security.vault.crypto import Unreadable
from security.vault.forms import DeleteForm, NewSecretForm, RevealForm, RotateForm, SecretForm, initial_of
from security.vault.models import Secret, SecretType
from security.vault.syntax import written

PER_PAGE = 50
SHOWN_S = 30


@page(VIEWER)
def secrets(request: HttpRequest, instance: str = "") -> HttpResponse:
    """What there is, and how old; of one instance, if the address names one."""
    now, asked = timezone.now(), {name: request.GET.get(name, "") for name in ("q", "type", "state")}
    found = queries.search(request.principal, words=asked["q"], kind=asked["type"], instance_id=instance)
    shown = Paginator(queries.in_state(found, asked["state"], now).order_by("name", "pk"), PER_PAGE)
    rows = shown.get_page(request.GET.get("page"))
    for row in rows:
        row.state = queries.state_of(row, now)
    context = {
        "page": rows,
        "asked": asked,
        "filtered": any(asked.values()),
        "types": SecretType.choices,
        "states": queries.STATES,
        "of_instance": queries.instance_for(instance, request.principal) if instance else None,
        "may_operate": request.principal.may_somewhere(OPERATOR),
    }
    return render(request, "security/secrets.html", context)


@page(VIEWER)
def secret(request: HttpRequest, pk: str) -> HttpResponse:
    """One secret with its versions."""
    row = queries.get_visible(secret_id=pk, principal=request.principal)
    row.state = queries.state_of(row, timezone.now())
    context = {
        "secret": row,
        "versions": queries.versions_of(row),
        "reference": written(row.name),
        "may_operate": request.principal.may(OPERATOR, team_id=row.team_id),
        "may_reveal": request.principal.may(ADMIN),
    }
    return render(request, "security/secret.html", context)


@sensitive_post_parameters("value")
@never_cache
@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    initial = {"instance_id": request.GET.get("instance", "")[:64]}
    form = NewSecretForm(request.POST or None, initial=initial, principal=request.principal)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create(actor=request.principal, request=request, **form.fields_of())
            messages.success(request, f"Saved: {made.name}.")
            return redirect("ui:secret", made.pk)
        except ApiError as error:
            show_errors(form, error)
    return _form_page(request, form, heading="New secret", submit="Save secret")


@page(OPERATOR)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    row = _own(request, pk)
    form = SecretForm(request.POST or None, initial=initial_of(row))
    if request.method == "POST" and form.is_valid():
        try:
            services.update(secret=row, actor=request.principal, request=request, **form.fields_of(row))
            messages.success(request, f"Saved: {row.name}.")
            return redirect("ui:secret", pk)
        except ApiError as error:
            show_errors(form, error)
    return _form_page(request, form, row, heading=f"Edit {row.name}", submit="Save secret")


@sensitive_post_parameters("value")
@never_cache
@page(OPERATOR)
def rotate(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask for the next value."""
    row = _own(request, pk)
    form = RotateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            now = services.rotate(secret=row, actor=request.principal, request=request, **form.cleaned_data)
            messages.success(request, f"Version {now.version} of {now.name} is in force.")
            return redirect("ui:secret", pk)
        except ApiError as error:
            show_errors(form, error)
    words = f"It is in force at once, as the next version. The last {services.KEPT_VERSIONS} are kept to roll back to."
    return _form_page(request, form, row, heading=f"Rotate {row.name}", submit="Rotate secret", words=words)


@page(OPERATOR)
def roll_back(request: HttpRequest, pk: str, number: int) -> HttpResponse:
    """Ask, then put an older version into force."""
    row, error = _own(request, pk), ""
    if not row.versions.filter(number=number).exists():
        raise NotFound(f"Version {number} of this secret is not kept")
    if request.method == "POST":
        try:
            services.roll_back(secret=row, actor=request.principal, number=number, request=request)
            messages.success(request, f"Version {number} of {row.name} is in force.")
            return redirect("ui:secret", pk)
        except ApiError as refusal:
            error = refusal.message
    context = {
        "heading": f"Put version {number} of {row.name} into force?",
        "text": f"What uses it gets the value of version {number} instead of version {row.version} from now on. No "
        "version is lost by that.",
        "verb": f"Put version {number} into force",
        "cancel_url": reverse("ui:secret", args=[pk]),
        "error": error,
    }
    return render(request, "security/confirm.html", context, status=409 if error else 200)


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    """Asks for the name typed, then deletes it with all its versions."""
    row = _own(request, pk)
    form = DeleteForm(request.POST or None, secret=row)
    if request.method == "POST" and form.is_valid():
        services.delete(secret=row, actor=request.principal, request=request)
        messages.success(request, f"Deleted: {row.name}.")
        return redirect("ui:secrets")
    return render(request, "security/secret_delete.html", _facts(row, form), status=422 if form.errors else 200)


@never_cache
@page(ADMIN)
def reveal(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask why, note it, then show the value for a short while."""
    row = queries.get_visible(secret_id=pk, principal=request.principal)
    form = RevealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            value = services.reveal(secret=row, actor=request.principal, reason=reason, request=request)
        except Unreadable as fault:
            form.add_error(None, fault.message)
            return render(request, "security/secret_reveal.html", _facts(row, form), status=503)
        return render(request, "security/secret_shown.html", {"secret": row, "value": value, "seconds": SHOWN_S})
    return render(request, "security/secret_reveal.html", _facts(row, form), status=422 if form.errors else 200)


def _own(request: HttpRequest, pk: str) -> Secret:
    """The secret, if this person may change it."""
    row = queries.get_visible(secret_id=pk, principal=request.principal)
    require(request.principal, OPERATOR, team_id=row.team_id)
    return row


def _facts(row: Secret, form: Form) -> dict[str, Any]:
    return {"secret": row, "form": form}


def _form_page(request: HttpRequest, form: Form, row: Secret | None = None, **words: str) -> HttpResponse:
    cancel = reverse("ui:secret", args=[row.pk]) if row else reverse("ui:secrets")
    context = {"form": form, "secret": row, "cancel_url": cancel, **words}
    return render(request, "security/secret_form.html", context, status=422 if form.errors else 200)
