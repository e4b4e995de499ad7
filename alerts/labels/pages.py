"""What the pages of the resources that say how alerts are handled share: a form over the API's own serializer."""

from typing import Any, NamedTuple

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from rest_framework import serializers

from alerts.labels.viewsets import remove, store
from config.api.envelopes import flatten
from config.api.errors import ApiError
from config.api.permissions import OPERATOR, require


class Home(NamedTuple):
    """The page that lists them: the name of its address, and what it is called."""

    url: str
    label: str


POLICIES = Home("ui:alert-policies", "Policies")


def form_page(
    request: Any, form: Any, body: type[serializers.Serializer], *, row: Any, resource: str, noun: str,
    home: Home = POLICIES,
) -> HttpResponse:  # fmt: skip
    """Show the form; on POST store what it says, by the rules of the API. `form.wire()` is the API's body."""
    require(request.principal, OPERATOR)
    if request.method == "POST" and form.is_valid():
        wire = body(row, data=form.wire(), partial=row is not None, context={"request": Caller(request)})
        try:
            if wire.is_valid():
                saved = store(wire, resource=resource, noun=noun, request=request)
                messages.success(request, f"Saved: {saved}.")
                return redirect(home.url)
            _show(form, flatten(wire.errors))
        except ApiError as error:
            _show(form, error.details or {"": [error.message]})
    heading = f"Edit {row}" if row is not None else f"New {noun.lower()}"
    context = {"form": form, "heading": heading, "noun": noun, "home": home}
    return render(request, "alerts/handling_form.html", context, status=422 if form.errors else 200)


def delete_page(request: Any, row: Any, *, facts: Any, resource: str, noun: str, home: Home = POLICIES) -> HttpResponse:
    """Asked first."""
    require(request.principal, OPERATOR)
    if request.method == "POST":
        name = str(row)
        try:
            remove(row, before=facts, resource=resource, noun=noun, request=request)
            messages.success(request, f"Deleted: {name}.")
        except ApiError as error:
            messages.error(request, f"Not deleted: {error.message}.")
        return redirect(home.url)
    return render(request, "alerts/handling_delete.html", {"row": row, "noun": noun, "home": home})


class Caller:
    """What serializers ask of a request of the API."""

    def __init__(self, request: Any) -> None:
        self.auth = request.principal


def _show(form: Form, faults: dict[str, list[str]]) -> None:
    """Errors of the API at the fields that they are about; what belongs to no field on top, with its path."""
    for path, texts in faults.items():
        head = path.partition(".")[0]
        name = next((field for field in form.fields if field.replace("_", "") == head.lower()), None)
        form.add_error(name, texts if name or not path else [f"{path}: {text}" for text in texts])
