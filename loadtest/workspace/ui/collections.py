"""The page of one collection: its name, place, variables, auth and scripts."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from config.api.errors import ApiError, NotFound
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from loadtest.frame import frame
from loadtest.workspace import builder, collections
from loadtest.workspace.models import Collection, SavedRequest
from loadtest.workspace.tree import downwards, parents
from loadtest.workspace.ui.tree import choices, tree
from loadtest.workspace.ui.variables import TYPES, variable_rows, variables_of

AUTH_MODES = {"inherit": "None of its own"} | {
    mode: words for mode, words in builder.AUTH_MODES.items() if mode != "inherit"
}


@page(OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """A new collection, inside another one with `?parent=`."""
    return edited(request, None, {"parentId": request.GET.get("parent") or None})


@page(VIEWER, write=OPERATOR)
def collection(request: HttpRequest, pk: str) -> HttpResponse:
    """Change a collection; who only reads sees it."""
    row = get(pk)
    return edited(request, row, collections.shown(row, clear=True))


def edited(request: HttpRequest, row: Collection | None, shown: dict[str, Any]) -> HttpResponse:
    fault = ""
    if request.method == "POST":
        require(request.principal, OPERATOR)
        sent = sent_by(request, row)
        try:
            made = collections.save_collection(body=sent, actor=request.principal)
        except ApiError as refusal:
            shown, fault = shown | sent, refusal.message
        else:
            messages.success(request, f"{made.name} is saved.")
            return redirect(f"{reverse('ui:loadtest')}?{urlencode({'collection': made.pk})}")
    own = [row.pk, *downwards(row.pk, parents())] if row else []
    context = {
        **frame(request, "requests"),
        "collection": shown,
        "row": row,
        "fault": fault,
        "places": [place for place in choices(tree()["roots"]) if place["pk"] not in own],
        "rows": variable_rows(shown.get("variables") or {}),
        "types": TYPES,
        "auth": builder.shown_auth(shown.get("auth") or None),
        "auth_modes": AUTH_MODES.items(),
        "api_path": "/api/loadtest/collections",
    }
    return render(request, "loadtest/collection.html", context, status=422 if fault else 200)


def sent_by(request: HttpRequest, row: Collection | None) -> dict[str, Any]:
    """The form in the API's words (contract: load testing §4)."""
    form = request.POST
    auth = builder.auth_of(form, row.auth if row else None)
    return {
        **({"id": row.pk} if row else {}),
        "name": form.get("name", "").strip(),
        "description": form.get("description", "").strip(),
        "parentId": form.get("parent") or None,
        "variables": variables_of(form, row.variables if row else {}),
        "auth": {"mode": "none"} if auth["mode"] == "inherit" else auth,
        "preRequestScript": form.get("pre_script", "").replace("\r\n", "\n"),
        "postRequestScript": form.get("post_script", "").replace("\r\n", "\n"),
    }


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    """Asks for the name: everything below goes too."""
    require(request.principal, OPERATOR)
    row = get(pk)
    wrong = request.method == "POST" and request.POST.get("confirm", "").strip() != row.name.strip()
    if request.method == "POST" and not wrong:
        collections.delete_collection(key=pk, actor=request.principal)
        messages.success(request, f"{row.name} is deleted. The runs of its requests are kept.")
        return redirect("ui:loadtest")
    below = downwards(pk, parents())
    count = SavedRequest.objects.filter(collection__in=below).count()
    inside = f"{len(below) - 1} collection{'' if len(below) == 2 else 's'} below it and " if len(below) > 1 else ""
    context = {
        "name": row.name,
        "noun": "collection",
        "text": f"So do {inside}{count} request{'' if count == 1 else 's'}. Runs are kept.",
        "back_url": reverse("ui:load-collection", args=[pk]),
        "type_name": True,
        "wrong": wrong,
    }
    context |= frame(request, "requests")
    return render(request, "loadtest/delete.html", context, status=422 if wrong else 200)


def get(pk: str) -> Collection:
    found = Collection.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"Collection '{pk}' not found")
    return found
