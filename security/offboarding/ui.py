"""Settings, users, *Off-board* [ADMIN]: what a person who leaves has in hand, and closing it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from config.api.errors import ApiError, NotFound
from config.api.permissions import ADMIN
from config.pages import page
from security.accounts.models import User
from security.offboarding import services
from security.offboarding.plan import MOST_FOUND, find_ssh_keys, plan

SWITCHES = ("revoke_keys", "end_sessions", "leave_teams", "leave_duties", "deactivate")


@page(ADMIN)
def off_board(request: HttpRequest, id: str) -> HttpResponse:
    """GET lists everything and ticks what is wise; POST does what is ticked, once the address is typed."""
    person = User.objects.filter(pk=id).first()
    if person is None:
        raise NotFound("There is no such user")
    now, error = timezone.now(), ""
    if request.method == "POST":
        if request.POST.get("confirm", "").strip().lower() != person.email:
            error = f"Type {person.email} to confirm."
        else:
            try:
                done = services.off_board(user=person, choice=chosen(request), actor=request.principal, now=now)
            except ApiError as refusal:
                error = refusal.message
            else:
                messages.success(request, services.told(person, done))
                return redirect("ui:settings-user-off-board", id=person.pk)
    found = plan(user=person, actor=request.principal, now=now)
    text = request.GET.get("ssh", "").strip()[:128].replace("\x00", "")
    ticked = set(request.POST.getlist("ssh_key"))
    facts = {
        "person": person,
        "plan": found,
        "error": error,
        "api_path": f"/api/v1/admin/users/{person.pk}/off-board",
        "more_ssh_keys": find_ssh_keys(text, now, without=[held.key.pk for held in found.ssh_keys]) if text else [],
        "ssh_text": text,
        "most_found": MOST_FOUND,
        "switches": {name: not error or name in request.POST for name in SWITCHES},
        "ssh_ticked": ticked if error else set(found.certain_ssh_ids),
        "secrets_ticked": set(request.POST.getlist("secret")) if error else set(found.known_secret_ids),
    }
    return render(request, "security/off_board.html", facts, status=422 if error else 200)


def chosen(request: HttpRequest) -> services.Choice:
    """What the form ticks."""
    switches: dict[str, Any] = {name: name in request.POST for name in SWITCHES}
    ids = {"ssh_key_ids": request.POST.getlist("ssh_key"), "secret_ids": request.POST.getlist("secret")}
    return services.Choice(**switches, **ids)
