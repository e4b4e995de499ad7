"""The workspace: collections, the request that is built, its answer. Everything chosen is in the address."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.api.errors import NotFound
from config.api.permissions import VIEWER
from config.pages import page
from loadtest.composing.variables import names_in
from loadtest.engine.dynamic import GENERATORS
from loadtest.frame import frame
from loadtest.runs.masking import masked_config
from loadtest.workspace import builder as builders
from loadtest.workspace import queries, requests
from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest
from loadtest.workspace.ui.tree import choices, tree
from loadtest.workspace.ui.variables import known
from security.vault.syntax import is_reference

MOST_ENVIRONMENTS = 200
NONE = "none"
DRAWN = {"value": "a new value each time", "scope": ""}
FROM_VAULT = {"value": "read when it is sent", "scope": "vault"}


@page(VIEWER)
def workspace(request: HttpRequest) -> HttpResponse:
    """A saved request (`?request=`), or a new one in a collection (`?collection=`)."""
    asked = {name: clean(request.GET.get(name, "")) for name in ("request", "collection")}
    row = saved(asked["request"]) if asked["request"] else None
    definition = requests.shown(row, clear=True) if row else {"collectionId": asked["collection"]}
    return render(request, "loadtest/workspace.html", board(request, definition))


def board(request: HttpRequest, definition: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What the workspace shows around `definition`, a request in the API's words; `more` is the answer, if any."""
    q = clean(request.GET.get("q", ""))
    places = queries.chain(definition.get("collectionId"))
    grown = tree(q=q, opened=[place.pk for place in places])
    environments, environment = chosen_environment(request)
    shown = builders.shown(definition)
    # Only a saved request is sent with the variables of its collections.
    names = known(scopes(places if definition.get("id") else [], environment))
    return {
        **frame(request, "requests"),
        "builder": shown,
        "tree": grown,
        "q": q,
        "collections": choices(grown["roots"]),
        "here_collection": definition.get("collectionId") or "",
        "environments": environments,
        "environment": environment,
        "environment_query": clean(request.GET.get("environment", "")),
        "kept": [(name, request.GET[name]) for name in ("request", "collection", "new") if name in request.GET],
        "methods": builders.METHODS,
        "body_modes": builders.BODY_MODES.items(),
        "auth_modes": builders.AUTH_MODES.items(),
        "known": names,
        "used": [(name, names.get(name) or made_up(name)) for name in mentioned(definition)],
        "counts": counts(shown),
        "api_body": as_body(definition, environment),
        **more,
    }


def saved(request_id: str) -> SavedRequest:
    found = SavedRequest.objects.filter(pk=request_id).first()
    if found is None:
        raise NotFound(f"Request '{request_id}' not found")
    return found


def chosen_environment(request: HttpRequest) -> tuple[list[Environment], Environment | None]:
    """All environments to choose from, and the chosen one: that of the address or form, else the active one."""
    rows = list(Environment.objects.order_by("created_at", "pk")[:MOST_ENVIRONMENTS])
    asked = request.POST.get("environment", request.GET.get("environment", ""))
    if asked == NONE or (request.method == "POST" and not asked):
        return rows, None
    if asked:
        return rows, next((row for row in rows if row.pk == asked), None)
    return rows, next((row for row in rows if row.is_active), None)


def scopes(places: list[Collection], environment: Environment | None) -> list[tuple[str, Mapping[str, Any]]]:
    """The variables in the order in which they are looked up, each scope with its name."""
    shared = Globals.objects.first()
    return [
        *([(environment.name, environment.variables)] if environment else []),
        *((place.name, place.variables) for place in places),
        ("globals", shared.variables if shared else {}),
    ]


def made_up(name: str) -> Mapping[str, str] | None:
    """What stands for a name that no scope defines; None when nothing does."""
    if name in GENERATORS:
        return DRAWN
    return FROM_VAULT if is_reference(f"{{{{{name}}}}}") else None


def mentioned(definition: Mapping[str, Any]) -> list[str]:
    """The variables that the request names, wherever."""
    parts = (definition.get(name) for name in ("url", "params", "headers", "body", "auth"))
    return names_in(" ".join(str(part) for part in parts if part))


def counts(shown: Mapping[str, Any]) -> dict[str, int]:
    return {
        "params": sum(1 for row in shown["params"] if row["key"]),
        "headers": sum(1 for row in shown["headers"] if row["key"]),
        "scripts": sum(1 for name in ("pre_script", "post_script") if shown[name].strip()),
    }


def as_body(definition: Mapping[str, Any], environment: Environment | None) -> dict[str, Any]:
    """The same request as a body of POST /request; what is secret stays a variable of the shell or is left out."""
    body = builders.sendable(definition, environment.pk if environment else None)
    return masked_config({name: value for name, value in body.items() if name != "auth" and value not in ({}, [], "")})


def clean(text: str) -> str:
    return text.replace("\x00", "").strip()[:200]
