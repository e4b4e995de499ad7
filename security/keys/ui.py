"""Pages about API keys: one's own under the account, everybody's under the settings [ADMIN]."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from config.api.errors import ApiError, NotFound
from config.api.permissions import ADMIN, VIEWER
from config.pages import page, show_errors
from security.keys import services
from security.keys.forms import OwnKeyForm, RotateForm, ServiceKeyForm
from security.keys.models import ApiKey

PAGE_SIZE = 50
SOON = timedelta(days=14)


@dataclass(frozen=True)
class Shelf:
    """A set of keys with its pages: which keys, how new ones are made, what the pages are called."""

    url_name: str
    heading: str
    role: str
    form: type[OwnKeyForm]
    keys: Callable[[HttpRequest], QuerySet[ApiKey]]
    create: Callable[..., tuple[ApiKey, str]]

    @property
    def url(self) -> str:
        return reverse(f"ui:{self.url_name}")


OWN = Shelf(
    "account-keys", "Your API keys", VIEWER, OwnKeyForm, lambda request: services.keys_of(request.principal.user),
    services.create_own_key,
)  # fmt: skip
ALL = Shelf(
    "settings-keys", "API keys", ADMIN, ServiceKeyForm, lambda request: services.all_keys(),
    services.create_service_key,
)  # fmt: skip


def state_of(key: ApiKey) -> str:
    """active, expiring or expired."""
    if key.expires_at is None:
        return "active"
    left = key.expires_at - timezone.now()
    return "expired" if left <= timedelta(0) else "expiring" if left < SOON else "active"


def _list(shelf: Shelf) -> Callable[..., HttpResponse]:
    @never_cache
    @page(shelf.role)
    def view(request: HttpRequest) -> HttpResponse:
        form = shelf.form(request.POST or None, initial={"days": 90})
        facts: dict[str, Any] = {"shelf": shelf, "form": form, "everybody": shelf is ALL}
        if request.method == "POST" and form.is_valid():
            try:
                facts["key"], facts["raw"] = shelf.create(actor=request.principal, **form.cleaned_data)
                facts["form"] = shelf.form(initial={"days": 90})
            except ApiError as error:
                show_errors(form, error)
        rows = Paginator(shelf.keys(request), PAGE_SIZE).get_page(request.GET.get("page"))
        for key in rows:
            key.state = state_of(key)
            key.effective_role = services.effective_role(services.cap_of(key.role, key.instance_id), key.user.role)
        return render(request, "security/keys.html", facts | {"page": rows}, status=422 if form.errors else 200)

    return view


def _rotate(shelf: Shelf) -> Callable[..., HttpResponse]:
    @never_cache
    @page(shelf.role)
    def view(request: HttpRequest, id: str) -> HttpResponse:
        key = _key(shelf, request, id)
        form = RotateForm(request.POST or None)
        facts: dict[str, Any] = {"shelf": shelf, "form": form, "old": key}
        if request.method == "POST" and form.is_valid():
            try:
                overlap = timedelta(hours=form.cleaned_data["overlap"])
                facts["key"], facts["raw"] = services.rotate(key=key, overlap=overlap, actor=request.principal)
            except ApiError as error:
                show_errors(form, error)
        return render(request, "security/key_rotate.html", facts, status=422 if form.errors else 200)

    return view


def _revoke(shelf: Shelf) -> Callable[..., HttpResponse]:
    @page(shelf.role)
    def view(request: HttpRequest, id: str) -> HttpResponse:
        key = _key(shelf, request, id)
        if request.method == "POST":
            services.revoke(key=key, actor=request.principal)
            messages.success(request, f"The key {key.name} no longer works.")
            return redirect(shelf.url)
        facts = {
            "heading": f"Revoke {key.name}?",
            "text": f"The key {key.key_prefix}… of {key.user} stops working at once, and whatever it has open closes "
            "within seconds. This cannot be undone.",
            "verb": "Revoke key",
            "cancel_url": shelf.url,
        }
        return render(request, "security/confirm.html", facts)

    return view


def _key(shelf: Shelf, request: HttpRequest, id: str) -> ApiKey:
    found = shelf.keys(request).filter(pk=id).first()
    if found is None:
        raise NotFound("There is no such key, or it was revoked")
    return found


own_keys, rotate_own_key, revoke_own_key = _list(OWN), _rotate(OWN), _revoke(OWN)
all_keys, rotate_key, revoke_key = _list(ALL), _rotate(ALL), _revoke(ALL)
