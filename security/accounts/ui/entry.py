"""The way in and out: first start, sign in, sign out."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, TooMany
from config.api.permissions import ANYONE
from config.pages import show_errors
from security.accounts import beginning, services, signing_in
from security.accounts.forms import LoginForm, SetupForm
from security.second_factor import pending
from security.second_factor import policy as second_factor

HOME = "/"
WRONG = "The e-mail address or the password is wrong, or the account is switched off."
LOCKED = "Too many failed tries. Wait five minutes and try again."


@never_cache
@sensitive_post_parameters()
def setup(request: HttpRequest) -> HttpResponse:
    """The first administrator. Exists only while there is none, and opens only with the link printed at the start."""
    if services.is_set_up():
        raise Http404
    token = request.POST.get("token") or request.GET.get("token", "")
    if not services.is_setup_token(token):
        return render(request, "security/setup_hint.html", {"tried": bool(token)}, status=403 if token else 200)
    form = SetupForm(request.POST or None, initial={"token": token})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            user = services.set_up(
                token=given["token"], email=given["email"], password=given["password"], name=given["name"],
                time_zone=given["time_zone"],
            )  # fmt: skip
        except ApiError as error:
            show_errors(form, error)
        else:
            signing_in.begin(request, user)
            beginning.accept(form.accepted(), actor=user.principal(), request=request)
            return redirect(HOME)
    return render(request, "security/setup.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@sensitive_post_parameters()
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password. The answer never tells which of them was wrong."""
    if not services.someone_exists():
        return redirect("ui:setup")
    target = request.POST.get("next") or request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = HOME
    if request.principal and request.method == "GET":
        return redirect(target)
    form, status = LoginForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            user = signing_in.prove(request, email=given["email"], password=given["password"])
        except TooMany as error:
            form.add_error(None, f"Too many tries. Wait {error.extra['retry_after']} seconds and try again.")
            status = 429
        else:
            if user and second_factor.has(user):
                pending.hold(request, user, remember=given["remember"], target=target)
                return redirect("ui:login-code")
            if user:
                signing_in.begin(request, user, remember=given["remember"])
                return redirect(target)
            form.add_error(None, WRONG)
    return render(request, "security/login.html", {"form": form, "next": target}, status=status)


@never_cache
def locked_out(request: HttpRequest, response: Any, credentials: Any) -> HttpResponse:
    """What somebody sees who failed too often."""
    form = LoginForm(request.POST or None)
    form.is_valid()
    form.add_error(None, LOCKED)
    return render(request, "security/login.html", {"form": form}, status=429)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this browser's session."""
    signing_in.sign_out(request)
    return redirect("ui:login")


for _view in (setup, sign_in, sign_out):
    _view.roles = {"get": ANYONE, "post": ANYONE}
