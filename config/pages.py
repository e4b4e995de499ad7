"""What pages share: the guard at their door, and the pages of the project itself."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from config.api.errors import ApiError, Forbidden, Malformed, NotFound
from config.api.permissions import VIEWER
from config.api.schema import DOCUMENTS

View = Callable[..., HttpResponse]


def to_the_door(request: HttpRequest) -> HttpResponse:
    """Where somebody goes for whom no page opens: to what must be done first, else to the sign-in page."""
    if first := getattr(request.refusal, "page", None):
        return redirect(first)
    return redirect_to_login(request.get_full_path())


def page(role: str = VIEWER, *, write: str | None = None) -> Callable[[View], View]:
    """Guard a page: who is not signed in goes to the sign-in page, who may not gets the 403 page.

    `write` is the role for POST when it differs. A role in any team opens the page; services check the object.
    """
    roles = {"get": role, "post": write or role}

    def guard(view: View) -> View:
        @wraps(view)
        def handle(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.principal is None:
                return to_the_door(request)
            needed = roles["post" if request.method == "POST" else "get"]
            if not request.principal.may_open(needed):
                raise PermissionDenied(f"This needs the {needed} role. An administrator can give it to you.")
            try:
                return view(request, *args, **kwargs)
            except (NotFound, Malformed) as error:
                raise Http404(error.message) from None
            except DataError:  # an address with a character that no database stores
                raise Http404 from None
            except Forbidden as error:
                raise PermissionDenied(error.message) from None

        handle.roles = roles
        return handle

    return guard


@page()
def api_docs(request: HttpRequest) -> HttpResponse:
    """The list of API documents, each with what its addresses begin with."""
    found = []
    for name, (title, prefix) in DOCUMENTS.items():
        root, _, choices = prefix.partition("(")
        found.append((name, title, [f"{root}{choice}" for choice in choices.rstrip(")").split("|")]))
    return render(request, "config/api_docs.html", {"documents": found})


@page()
def api_document(request: HttpRequest, name: str) -> HttpResponse:
    """One API document to browse and try, without the internet."""
    if name not in DOCUMENTS:
        raise Http404
    return render(request, "config/api_document.html", {"name": name, "document_title": DOCUMENTS[name][0]})


def show_errors(form: Form, error: ApiError) -> None:
    """Put what a service refused at the form's fields, and what belongs to none of them on top."""
    details = error.details or {"": [error.message]}
    for name, texts in details.items():
        form.add_error(name if name in form.fields else None, texts)


urls = [path("api/docs/", api_docs, name="api-docs")]
