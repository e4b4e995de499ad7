"""Bringing requests in: a Postman collection, an OpenAPI document or a curl command, pasted, as a file or fetched."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from config.api.errors import ApiError, Invalid
from config.api.permissions import OPERATOR, require
from config.pages import page
from loadtest.exchange import services
from loadtest.exchange.storing import store
from loadtest.exchange.tree import walk
from loadtest.frame import frame
from loadtest.workspace.ui.tree import choices, tree

MAX_FILE = services.MAX_BYTES
SHOWN_BACK, LISTED = 1_000_000, 50  # characters put into the form again, and requests that a look lists


@page(OPERATOR)
def bring_in(request: HttpRequest) -> HttpResponse:
    """Look at what a document holds (`look`), or store it, all or nothing."""
    require(request.principal, OPERATOR)
    context: dict[str, Any] = {}
    if request.method == "POST":
        below = request.POST.get("collection") or None
        try:
            content = content_of(request)
            context["content"] = content if len(content) <= SHOWN_BACK else ""
            found = services.tree_of({"content": content, "importScripts": "scripts" in request.POST})
            if "look" not in request.POST:
                made = store(tree=found, actor=request.principal, collection_id=below)
                messages.success(request, told(found["meta"]))
                first = made.collections[0].pk if made.collections else below
                return redirect(f"{reverse('ui:loadtest')}?{urlencode({'collection': first or ''})}")
            context |= {"found": found, "listed": listed(found)}
        except ApiError as refusal:
            context["fault"] = refusal.message
    context |= {
        **frame(request, "import"),
        "places": choices(tree()["roots"]),
        "chosen": request.POST.get("collection", request.GET.get("collection", "")),
        "scripts": "scripts" in request.POST or request.method == "GET",
        "url": request.POST.get("url", ""),
    }
    return render(request, "loadtest/import.html", context, status=422 if "fault" in context else 200)


def content_of(request: HttpRequest) -> str:
    """The text of the file, else of the address, else what was pasted."""
    if file := request.FILES.get("file"):
        if file.size > MAX_FILE:
            raise Invalid(f"The file is larger than {MAX_FILE >> 20} MiB")
        return file.read().decode(errors="replace").replace("\x00", "\ufffd")
    if url := request.POST.get("url", "").strip():
        return services.fetch(url=url)["content"]
    if content := request.POST.get("content", "").replace("\r\n", "\n").strip():
        return content
    raise Invalid("Paste a document, choose a file or give an address.")


def listed(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The first requests that it holds, each with the name of its collection."""
    return [(one["name"], row) for one in walk(found["collections"]) for row in one["requests"]][:LISTED]


def told(meta: dict[str, Any]) -> str:
    parts = [
        f"{count:,} {noun}{'' if count == 1 else 's'}"
        for noun, count in (("request", meta["requests"]), ("environment", meta["environments"]))
        if count
    ]
    skipped = ", ".join(f"{one['count']} × {one['kind']}" for one in meta["skipped"])
    left = f" What could not be taken over: {skipped}." if skipped else ""
    return f"Imported {' and '.join(parts) or 'nothing'} from {meta['name'] or meta['format']}.{left}"
