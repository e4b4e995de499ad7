"""Adding an agent: a name, a token that is shown once, and a page that waits for the machine."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.api.errors import ApiError, NotFound
from config.api.permissions import ADMIN
from config.pages import page, show_errors
from monitors.agents import joining, services
from monitors.agents.load import Load, load_of
from monitors.agents.models import DEFAULT, Agent
from monitors.agents.ui.detail import get


class AddForm(forms.Form):
    name = forms.CharField(max_length=200, help_text="Such as Frankfurt. Monitors are pinned to the agent by it.")
    location = forms.CharField(required=False, max_length=200, label="Place", help_text="Where it is, in words.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"autofocus": True, "autocomplete": "off"}


@page(ADMIN)
def add(request: HttpRequest) -> HttpResponse:
    """Name the agent; the answer shows its token, once, and waits for its first beat."""
    form = AddForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            agent, token = services.create(actor=request.principal, request=request, **form.cleaned_data)
        except ApiError as error:
            show_errors(form, error)
        else:
            return render(request, "monitors/agent_join.html", waiting(request, agent, token))
    return render(request, "monitors/agent_add.html", {"form": form}, status=422 if form.errors else 200)


@page(ADMIN)
def join(request: HttpRequest, id: str) -> HttpResponse:
    """Wait for the first beat. A POST makes another token, for one that was lost; the old one ends."""
    agent, token = joinable(id), ""
    if request.method == "POST":
        token = services.renew_token(agent=agent, actor=request.principal, request=request)
    return render(request, "monitors/agent_join.html", waiting(request, agent, token))


@page(ADMIN)
def steps(request: HttpRequest, id: str) -> HttpResponse:
    """The steps so far; once the agent is online the browser goes to its page."""
    agent = joinable(id)
    context = waiting(request, agent, "")
    answer = render(request, "monitors/agent_steps.html", context)
    if context["online"]:
        messages.success(request, f"{agent.name} is online.")
        answer["HX-Redirect"] = reverse("ui:agent", args=[agent.pk])
    return answer


def joinable(id: str) -> Agent:
    agent = get(id)
    if agent.pk == DEFAULT:
        raise NotFound("The platform's own workers need no token")
    return agent


def waiting(request: HttpRequest, agent: Agent, token: str) -> dict[str, Any]:
    """What the page that waits shows; commands only while the token is known."""
    load: Load = load_of(agent, timezone.now())
    url = joining.server_url(request.build_absolute_uri("/"))
    return {
        "agent": agent,
        "token": token,
        "load": load,
        "online": load.status == "online",
        "ways": joining.ways(token=token, url=url) if token else [],
    }
