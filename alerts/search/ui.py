"""Search over everything: a page of its own, and the same as a list below the box in the header."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alerts.search.queries import find
from config.api.permissions import VIEWER
from config.pages import page


@page(VIEWER)
def search(request: HttpRequest) -> HttpResponse:
    """What was found; the box asks for the list alone while somebody types."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    context = {"query": words, "groups": find(words, request.principal)}
    template = "alerts/search_results.html" if request.htmx else "alerts/search.html"
    return render(request, template, context)
