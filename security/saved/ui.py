"""Forms beside lists: keep this view, forget that one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse

from config.api.errors import Invalid
from config.api.permissions import VIEWER
from config.pages import page
from security.saved import services

PAGES = {"instances": "ui:instances"}


@page(VIEWER)
def save(request: HttpRequest, name: str) -> HttpResponse:
    """Keep what the list shows under a name."""
    given = request.POST
    query = services.cleaned(given.get("query", ""))
    if request.method == "POST":
        try:
            view = services.save(principal=request.principal, page=name, name=given.get("name", ""), query=query)
        except Invalid as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"View {view.name} is saved.")
    return redirect(f"{_address(name)}?{query}" if query else _address(name))


@page(VIEWER)
def forget(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Forget a view of one's own."""
    if request.method == "POST":
        services.forget(principal=request.principal, pk=pk)
    return redirect(_address(name))


def _address(name: str) -> str:
    try:
        return reverse(PAGES[name])
    except (KeyError, NoReverseMatch):
        return "/"
