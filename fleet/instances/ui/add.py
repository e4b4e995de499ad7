"""Adding an instance: a name, a key that is shown once, and a page that waits for the machine."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from config.api.errors import Conflict, Invalid
from config.api.permissions import OPERATOR, require
from config.pages import page
from fleet.agents import joining
from fleet.instances import queries, services
from fleet.instances.models import Instance
from security.accounts.models import Team

MAX_LABELS = 50


class AddForm(forms.Form):
    """What a new instance is called. `teams` are those that the person may add to."""

    name = forms.RegexField(
        r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z",
        max_length=128,
        help_text="Small letters, digits and hyphens, such as web-7.",
        error_messages={"invalid": "Use small letters, digits and hyphens; begin and end with a letter or digit."},
    )
    labels = forms.CharField(
        required=False, max_length=4000, help_text="Pairs with commas between, such as role=web, rack=7."
    )
    team = forms.ModelChoiceField(
        Team.objects.none(), required=False, help_text="Only its members and administrators will see the instance."
    )

    def __init__(self, *args: Any, teams: Any, everywhere: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams
        self.fields["team"].required = not everywhere
        self.fields["team"].empty_label = "No team: everybody sees it" if everywhere else "Choose a team"
        self.fields["name"].widget.attrs |= {"autofocus": True, "autocomplete": "off", "spellcheck": "false"}

    def clean_labels(self) -> dict[str, str]:
        labels = {}
        for pair in filter(None, (part.strip() for part in self.cleaned_data["labels"].split(","))):
            name, equals, value = (part.strip() for part in pair.partition("="))
            if not name or not equals or len(name) > 128 or len(value) > 256:
                raise forms.ValidationError("Write each label as name=value; a name has up to 128 characters.")
            labels[name] = value
        if len(labels) > MAX_LABELS:
            raise forms.ValidationError(f"Give at most {MAX_LABELS} labels.")
        return labels


@page(OPERATOR)
def add(request: HttpRequest) -> HttpResponse:
    """Name the instance; the answer shows its key, once, and waits for its first contact."""
    form = AddForm(request.POST or None, **choices(request))
    if request.method == "POST" and form.is_valid():
        try:
            instance, key = services.enroll(**form.cleaned_data, actor=request.principal, request=request)
        except (Conflict, Invalid) as refusal:
            form.add_error("name", refusal.message)
        else:
            return render(request, "fleet/instance_connect.html", waiting(request, instance, key))
    return render(request, "fleet/instance_add.html", {"form": form}, status=422 if form.errors else 200)


def choices(request: HttpRequest) -> dict[str, Any]:
    """The teams that the person may add an instance to, and whether also to none."""
    principal = request.principal
    mine = [team_id for team_id in principal.teams if principal.may(OPERATOR, team_id=team_id)]
    teams = Team.objects.order_by("name")
    return {
        "teams": teams if principal.sees_all else teams.filter(pk__in=mine),
        "everywhere": principal.may(OPERATOR),
    }


@page(OPERATOR)
def connect(request: HttpRequest, pk: str) -> HttpResponse:
    """Wait for the first heartbeat. A POST makes another key, for one that was lost."""
    instance = queries.get_visible(instance_id=pk, principal=request.principal)
    require(request.principal, OPERATOR, team_id=instance.team_id)
    key = ""
    if request.method == "POST":
        _, key = services.new_agent_key(instance=instance, actor=request.principal)
    elif joining.joined(instance):
        return redirect("ui:instance", pk=instance.pk)
    return render(request, "fleet/instance_connect.html", waiting(request, instance, key))


@page(OPERATOR)
def steps(request: HttpRequest, pk: str) -> HttpResponse:
    """The steps so far, for the live update; after the first heartbeat the browser goes to the instance's page."""
    instance = queries.get_visible(instance_id=pk, principal=request.principal)
    answer = render(request, "fleet/instance_steps.html", waiting(request, instance, ""))
    if joining.joined(instance):
        messages.success(request, f"{instance.name} is connected.")
        answer["HX-Redirect"] = reverse("ui:instance", kwargs={"pk": instance.pk})
    return answer


def waiting(request: HttpRequest, instance: Instance, key: str) -> dict[str, Any]:
    """What the page that waits shows; commands only while the key is known."""
    url = joining.server_url(request.build_absolute_uri("/"))
    return {
        "instance": instance,
        "key": key,
        "ways": joining.ways(instance=instance, key=key, url=url) if key else [],
        "joined": joining.joined(instance),
    }
