"""Pages of the second factor: the second step of signing in, one's own, and the reset by an administrator."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from config.api.errors import ApiError, NotFound, TooMany
from config.api.permissions import ADMIN, ANYONE
from config.pages import page, show_errors
from security.accounts.models import User
from security.second_factor import codes, pending, policy, services
from security.second_factor.forms import ConfirmForm, RenewForm, SignInCodeForm, TurnOffForm

HERE = "ui:account-second-factor"


@never_cache
@sensitive_post_parameters()
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second step of signing in. Whoever has not passed the first, or waited too long, goes back there."""
    now = timezone.now()
    waiting = pending.held(request, now=now)
    if waiting is None:
        if request.method == "POST":
            messages.error(request, "That took too long. Sign in again.")
        return redirect("ui:login")
    form, status = SignInCodeForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        try:
            if pending.finish(request, waiting, form.cleaned_data["code"]):
                return redirect(waiting.target)
            form.add_error("code", services.WRONG)
            status = 422
        except TooMany as error:
            form.add_error(None, error.message)
            status = 429
    return render(request, "security/login_code.html", {"form": form}, status=status)


sign_in_code.roles = {"get": ANYONE, "post": ANYONE}


@never_cache
@sensitive_post_parameters()
@page()
def second_factor(request: HttpRequest) -> HttpResponse:
    """One's own second factor; `verb` says what a POST does."""
    acts: dict[str, Callable[[HttpRequest], HttpResponse]] = {
        "begin": _begin, "forget": _forget, "confirm": _confirm, "renew": _renew, "off": _turn_off,
    }  # fmt: skip
    if request.method != "POST":
        return _show(request)
    act = acts.get(request.POST.get("verb", ""))
    if act is None:
        raise NotFound("There is no such step")
    try:
        return act(request)
    except TooMany as error:
        messages.error(request, error.message)
        return redirect(HERE)


@sensitive_variables()
def _show(request: HttpRequest, status: int = 200, **facts: Any) -> HttpResponse:
    user = request.principal.user
    facts = {"renew": RenewForm(), "off": TurnOffForm(), "confirm": ConfirmForm()} | facts
    facts |= services.state_of(user) | {"required": policy.requires(user), "codes_made": codes.RECOVERY_CODES}
    if facts["since"] is None and (secret := services.draft(user)):
        address = codes.address_of(secret, email=user.email)
        facts["secret"] = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
        facts["picture"] = mark_safe(codes.picture_of(address))  # noqa: S308 - drawn here; holds no text of anybody
    return render(request, "security/second_factor.html", facts, status=status)


def _begin(request: HttpRequest) -> HttpResponse:
    try:
        services.begin(actor=request.principal)
    except ApiError as error:
        messages.error(request, error.message)
    return redirect(HERE)


def _forget(request: HttpRequest) -> HttpResponse:
    services.forget_draft(actor=request.principal)
    return redirect(HERE)


def _confirm(request: HttpRequest) -> HttpResponse:
    form = ConfirmForm(request.POST)
    return _codes(request, "confirm", form, services.confirm)


def _renew(request: HttpRequest) -> HttpResponse:
    form = RenewForm(request.POST)
    return _codes(request, "renew", form, services.renew_codes)


@sensitive_variables()
def _codes(request: HttpRequest, name: str, form: Form, make: Callable[..., list[str]]) -> HttpResponse:
    """Show fresh recovery codes, in this answer only."""
    if form.is_valid():
        try:
            fresh = make(actor=request.principal, code=form.cleaned_data["code"])
        except TooMany:
            raise
        except ApiError as error:
            show_errors(form, error)
        else:
            return _show(request, recovery_codes=fresh, just_set_up=name == "confirm")
    return _show(request, 422, **{name: form})


def _turn_off(request: HttpRequest) -> HttpResponse:
    form = TurnOffForm(request.POST)
    if form.is_valid():
        try:
            services.turn_off(actor=request.principal, **form.cleaned_data)
        except TooMany:
            raise
        except ApiError as error:
            show_errors(form, error)
        else:
            messages.success(request, "Your second factor is off. The password alone signs you in.")
            return redirect(HERE)
    return _show(request, 422, off=form)


@page(ADMIN)
def reset(request: HttpRequest, id: str) -> HttpResponse:
    """Ask, then remove the second factor of somebody who lost it."""
    person = User.objects.filter(pk=id).first()
    if person is None:
        raise NotFound("There is no such user")
    back, error = reverse("ui:settings-user", args=[id]), ""
    if request.method == "POST":
        try:
            services.reset(user=person, actor=request.principal)
        except ApiError as refusal:
            error = refusal.message
        else:
            messages.success(request, f"{person} signs in with the password alone until a new one is set up.")
            return redirect(back)
    facts = {
        "heading": f"Reset the second factor of {person}?",
        "text": "Do this when the person has lost the device and the recovery codes, and you are sure who asks you. "
        "The password alone signs in then. The audit log keeps it.",
        "verb": "Reset second factor",
        "cancel_url": back,
        "error": error,
    }
    return render(request, "security/confirm.html", facts, status=409 if error else 200)
