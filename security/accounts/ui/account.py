"""One's own account: preferences, password, sessions."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, NotFound
from config.pages import page, show_errors
from security.accounts import services
from security.accounts.forms import OwnPasswordForm, PreferencesForm
from security.accounts.models import Session
from security.keys.services import keys_of
from security.second_factor.services import state_of

YEAR_S = 365 * 24 * 3600


def _page(
    request: HttpRequest, *, preferences: PreferencesForm | None = None, password: OwnPasswordForm | None = None
) -> HttpResponse:
    user = request.principal.user
    alive = Session.objects.alive(timezone.now()).filter(user=user).order_by("-seen_at", "public_id")
    names = ("name", "time_zone", "theme")
    facts = {
        "preferences": preferences or PreferencesForm(initial={name: getattr(user, name) for name in names}),
        "password": password or OwnPasswordForm(),
        "sessions": alive[:50],
        "others": alive.exclude(public_id=request.principal.session_id or "").exists(),
        "second_factor": state_of(user),
        "keys": keys_of(user)[:10],
    }
    return render(request, "security/account.html", facts, status=422 if preferences or password else 200)


@page()
def account(request: HttpRequest) -> HttpResponse:
    """The whole account; POST saves the preferences."""
    if request.method != "POST":
        return _page(request)
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return _page(request, preferences=form)
    try:
        services.set_preferences(actor=request.principal, **form.cleaned_data)
    except ApiError as error:
        show_errors(form, error)
        return _page(request, preferences=form)
    messages.success(request, "Preferences saved.")
    response = redirect("ui:account")
    # The top bar keeps its choice in this cookie, for this browser; the saved one is for all of them.
    response.set_cookie("theme", form.cleaned_data["theme"], max_age=YEAR_S, samesite="Lax", secure=request.is_secure())
    return response


@sensitive_post_parameters()
@require_POST
@page()
def change_password(request: HttpRequest) -> HttpResponse:
    """Set a new password; this browser stays signed in."""
    form = OwnPasswordForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            user = services.change_own_password(
                actor=request.principal, current=given["current_password"], new=given["new_password"]
            )
        except ApiError as error:
            show_errors(form, error)
        else:
            update_session_auth_hash(request, user)
            messages.success(request, "Password changed. Your other browsers are signed out.")
            return redirect("ui:account")
    return _page(request, password=form)


@require_POST
@page()
def end_session(request: HttpRequest, id: str) -> HttpResponse:
    """Sign another browser out."""
    session = Session.objects.filter(user=request.principal.user, public_id=id).first()
    if session is None:
        raise NotFound("The session has ended already")
    services.end_session(session=session, actor=request.principal)
    messages.success(request, "Session ended.")
    return redirect("ui:account")


@require_POST
@page()
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign every browser out but this one."""
    ended = services.end_other_sessions(actor=request.principal)
    messages.success(request, f"{ended} session{'' if ended == 1 else 's'} ended. This browser stays signed in.")
    return redirect("ui:account")
