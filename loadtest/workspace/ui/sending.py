"""What the builder's buttons do with the request as it is typed: send it, save it, show it as curl."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from config.api.errors import ApiError
from config.api.permissions import OPERATOR, require
from config.pages import page
from loadtest.exchange import services as exchange
from loadtest.frame import frame
from loadtest.sending import services as sending
from loadtest.workspace import builder, collections, requests
from loadtest.workspace.models import SavedRequest
from loadtest.workspace.ui.answers import shown_answer
from loadtest.workspace.ui.board import board, chosen_environment, saved


@page(OPERATOR)
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Send what is typed and show what comes back; with a script only the answer is replaced."""
    require(request.principal, OPERATOR)
    definition = typed(request)
    _, environment = chosen_environment(request)
    body = builder.sendable(definition, environment.pk if environment else None)
    body |= {name: definition[name] for name in ("preRequestScript", "postRequestScript") if definition[name]}
    found: dict[str, Any] = {"may_operate": True}
    try:
        found["answer"] = shown_answer(sending.send(body=body, actor=request.principal))
    except ApiError as refusal:
        found["fault"] = refusal.message
    if request.htmx:
        return render(request, "loadtest/answer.html", found)
    return render(request, "loadtest/workspace.html", board(request, definition, **found))


@page(OPERATOR)
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Make or change the saved request; a new collection is made when none is chosen."""
    require(request.principal, OPERATOR)
    definition = typed(request)
    try:
        row = stored(request, definition)
    except ApiError as refusal:
        return said(request, definition, "loadtest/said_fault.html", fault=refusal.message, status=422)
    place = {"request": row.pk} | ({"environment": chosen} if (chosen := request.POST.get("environment")) else {})
    address = f"{reverse('ui:loadtest')}?{urlencode(place)}"
    if not request.htmx:
        messages.success(request, f"{row.name} is saved.")
        return redirect(address)
    context = board(request, requests.shown(row, clear=True)) | {"row": row, "oob": True}
    answer = render(request, "loadtest/said_saved.html", context)
    answer["HX-Push-Url"] = address
    return answer


@page(OPERATOR)
@require_POST
def curl(request: HttpRequest) -> HttpResponse:
    """The request as a command to copy, its variables filled in; credentials stay out of it."""
    require(request.principal, OPERATOR)
    definition = typed(request)
    _, environment = chosen_environment(request)
    try:
        command = exchange.command_for(builder.sendable(definition, environment.pk if environment else None))
    except ApiError as refusal:
        return said(request, definition, "loadtest/said_fault.html", fault=refusal.message, status=422)
    return said(request, definition, "loadtest/said_curl.html", command=command)


@page(OPERATOR)
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    """Asks first; the runs of the request stay."""
    require(request.principal, OPERATOR)
    row = saved(pk)
    if request.method == "POST":
        requests.delete_request(key=pk, actor=request.principal)
        messages.success(request, f"{row.name} is deleted. Its runs are kept.")
        return redirect(f"{reverse('ui:loadtest')}?{urlencode({'collection': row.collection_id})}")
    back = f"{reverse('ui:loadtest')}?{urlencode({'request': pk})}"
    text = "Its runs stay in the list of runs."
    context = {"name": row.name, "noun": "request", "text": text, "back_url": back} | frame(request, "requests")
    return render(request, "loadtest/delete.html", context)


@transaction.atomic
def stored(request: HttpRequest, definition: builder.Definition) -> SavedRequest:
    """The saved request, in a new collection when none was chosen."""
    body = {name: value for name, value in definition.items() if name != "id" or value}
    if not body["collectionId"]:
        name = request.POST.get("new_collection", "").strip() or "My requests"
        body["collectionId"] = collections.save_collection(body={"name": name}, actor=request.principal).pk
    return requests.save_request(body=body, actor=request.principal)


def typed(request: HttpRequest) -> builder.Definition:
    """The definition that the form holds; secrets that were left empty come from the saved request."""
    row = SavedRequest.objects.filter(pk=request.POST.get("id") or None).first()
    return builder.definition_of(request.POST, requests.shown(row, clear=True) if row else None)


def said(
    request: HttpRequest, definition: builder.Definition, template: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    """A word under the form: alone for the script, else within the whole page."""
    if request.htmx:
        return render(request, template, more)  # htmx shows successful answers only
    return render(request, "loadtest/workspace.html", board(request, definition, said=template, **more), status=status)
