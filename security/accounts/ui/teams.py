"""Settings: teams, who is in them, which instances are theirs [ADMIN]."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, NotFound
from config.api.permissions import ADMIN
from config.pages import page, show_errors
from security.accounts import teams as services
from security.accounts.forms import TeamForm
from security.accounts.models import Role, Team, User

PAGE_SIZE = 50
CHOICES = 500  # people and instances that a select offers; beyond that the API takes their ids


@page(ADMIN)
def teams(request: HttpRequest) -> HttpResponse:
    """All teams; POST makes one."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_team(actor=request.principal, **form.cleaned_data)
        except ApiError as error:
            show_errors(form, error)
        else:
            return redirect("ui:settings-team", made.pk)
    shown = Paginator(services.counted().order_by("name", "pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "security/teams.html", {"form": form, "page": shown}, status=422 if form.errors else 200)


@page(ADMIN)
def team(request: HttpRequest, id: str) -> HttpResponse:
    """One team; POST renames it."""
    found = _team(id)
    form = TeamForm(request.POST or None, initial={"name": found.name, "description": found.description})
    if request.method == "POST" and form.is_valid():
        try:
            services.update_team(team=found, actor=request.principal, **form.cleaned_data)
        except ApiError as error:
            show_errors(form, error)
        else:
            messages.success(request, "Team saved.")
            return redirect("ui:settings-team", id)
    instances = found.instances.order_by("name", "pk")
    facts = {
        "form": form,
        "team": _team(id),
        "members": found.memberships.select_related("user").order_by("user__name", "user__email")[:CHOICES],
        "others": User.objects.filter(is_active=True).exclude(memberships__team=found).order_by("email")[:CHOICES],
        "instances": instances[:CHOICES],
        "free": instances.model.objects.filter(team=None).order_by("name", "pk")[:CHOICES],
        "roles": Role.choices,
    }
    return render(request, "security/team.html", facts, status=422 if form.errors else 200)


@require_POST
@page(ADMIN)
def change_members(request: HttpRequest, id: str) -> HttpResponse:
    """Add (`add`), remove (`remove`) or re-rank (`change`) the user in `user`."""
    found, who, role = _team(id), request.POST.get("user", ""), request.POST.get("role", "")
    membership = found.memberships.select_related("user", "team").filter(user_id=who).first()
    verb = request.POST.get("verb")
    try:
        if verb == "add" and role in Role.values:
            services.add_member(team=found, user_id=who, role=role, actor=request.principal)
        elif verb == "change" and membership and role in Role.values:
            services.change_member(membership=membership, role=role, actor=request.principal)
        elif verb == "remove" and membership:
            services.remove_member(membership=membership, actor=request.principal)
        else:
            raise NotFound("There is no such user in the team")
    except ApiError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Members saved. What they have open follows within seconds.")
    return redirect("ui:settings-team", id)


@require_POST
@page(ADMIN)
def change_instances(request: HttpRequest, id: str) -> HttpResponse:
    """Give the team the instance in `instance` (`add`), or take it away (`remove`)."""
    found, instance_id = _team(id), request.POST.get("instance", "")
    change = services.assign_instance if request.POST.get("verb") == "add" else services.release_instance
    try:
        change(team=found, instance_id=instance_id, actor=request.principal)
    except ApiError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Instances saved.")
    return redirect("ui:settings-team", id)


@page(ADMIN)
def delete_team(request: HttpRequest, id: str) -> HttpResponse:
    """Ask, then remove a team."""
    found = _team(id)
    if request.method == "POST":
        services.delete_team(team=found, actor=request.principal)
        messages.success(request, f"The team {found.name} was deleted.")
        return redirect("ui:settings-teams")
    count = found.instances.count()
    facts = {
        "heading": f"Delete the team {found.name}?",
        "text": f"Its {found.memberships.count()} members lose what the team gave them. Its {count} instances stay, "
        "belong to no team, and everybody who can sign in sees them.",
        "verb": "Delete team",
        "cancel_url": reverse("ui:settings-team", args=[id]),
    }
    return render(request, "security/confirm.html", facts)


def _team(id: str) -> Team:
    found = Team.objects.filter(pk=id).first()
    if found is None:
        raise NotFound("There is no such team")
    return found
