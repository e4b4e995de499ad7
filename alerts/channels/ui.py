"""Pages of notification channels."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from alerts.channels import queries, services
from alerts.channels.forms import KINDS, ChannelForm, initial_of
from alerts.channels.models import Channel
from config.api.errors import ApiError
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page

TABS = {kind: type.label for kind, type in KINDS.items()}


@page(VIEWER)
def channels(request: HttpRequest) -> HttpResponse:
    context = {"rows": queries.rows(), "may_operate": request.principal.may(OPERATOR)}
    return render(request, "alerts/channels.html", context)


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """A new channel; the kind is chosen first and is in the address."""
    require(request.principal, OPERATOR)
    kind = request.GET.get("kind", "webhook")
    kind = kind if kind in KINDS else "webhook"
    form = ChannelForm(request.POST or None, kind=kind)
    if request.method == "POST" and (channel := _saved(request, form, None)):
        messages.success(request, f"{channel.name} is saved. Test it to be sure that messages arrive.")
        return redirect("ui:alert-channels")
    return _form_page(request, form, {"heading": "New channel", "kinds": TABS.items()})


@page(OPERATOR)
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    channel = _operable(request, pk)
    kind = next((kind for kind, type in KINDS.items() if type == channel.type), "webhook")
    form = ChannelForm(request.POST or None, kind=kind, initial=initial_of(channel))
    if request.method == "POST" and (changed := _saved(request, form, channel)):
        messages.success(request, f"{changed.name} is saved.")
        return redirect("ui:alert-channels")
    return _form_page(request, form, {"heading": f"Edit {channel.name}", "channel": channel})


def _form_page(request: HttpRequest, form: ChannelForm, context: dict[str, Any]) -> HttpResponse:
    context |= {"form": form, "mail_is_off": form.kind == "email" and not settings.EMAIL_URL}
    return render(request, "alerts/channel_form.html", context, status=422 if form.errors else 200)


def _saved(request: HttpRequest, form: ChannelForm, channel: Channel | None) -> Channel | None:
    """The stored channel; None when something is wrong, which the form then tells."""
    if not form.is_valid():
        return None
    fields = form.wire()
    try:
        if channel is None:
            return services.create_channel(type=KINDS[form.kind], actor=request.principal, request=request, **fields)
        return services.change_channel(channel=channel, actor=request.principal, request=request, **fields)
    except ApiError as error:
        form.show_faults(error.details or {"": [error.message]})
    return None


@require_POST
@page(OPERATOR)
def test(request: HttpRequest, pk: str) -> HttpResponse:
    """Deliver a test message now and show the answer."""
    channel = _operable(request, pk)
    outcome = services.send_test(channel=channel, actor=request.principal, request=request)
    if outcome.success:
        messages.success(request, f"Test through {channel.name} was delivered: {outcome.answer}.")
    else:
        messages.error(request, f"Test through {channel.name} was not delivered: {outcome.answer}")
    return redirect("ui:alert-channels")


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    """Asked first: rules that use it tell nobody through it any more."""
    channel = _operable(request, pk)
    if request.method == "POST":
        services.delete_channel(channel=channel, actor=request.principal, request=request)
        messages.success(request, f"{channel.name} is deleted.")
        return redirect("ui:alert-channels")
    rules = list(channel.rules.order_by("name", "pk").values_list("name", flat=True)[:5])
    context = {
        "noun": "channel",
        "name": channel.name,
        "said": "it goes for good, with the record of what it delivered and what still waits in it."
        + (f" {channel.rule_count} of the rules will tell nobody through it any more, such as:" if rules else ""),
        "names": rules,
        "back_url": reverse("ui:alert-channels"),
        "back_label": "Channels",
    }
    return render(request, "partials/delete_page.html", context)


def _operable(request: HttpRequest, pk: str) -> Channel:
    channel = queries.get_channel(pk)
    require(request.principal, OPERATOR)
    return channel
