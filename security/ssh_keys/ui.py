"""Pages of SSH keys: by age and owner, entering and revoking one, and the server's own."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, Invalid
from config.api.permissions import ADMIN, OPERATOR, VIEWER, raised_door, require
from config.pages import page, show_errors
from fleet.instances.queries import get_visible as visible_instance
from security.ssh_keys import queries, server_key, services
from security.ssh_keys.forms import SshKeyForm
from security.ssh_keys.models import SshKey, SshKeyQuerySet

PER_PAGE = 50
PLACE = {"place": "ssh-keys"}
TABS = {"active": "Active", "expired": "Expired", "revoked": "Revoked", "all": "All"}
# Columns that sort, by the name in the address.
SORTS: dict[str, Any] = {
    "age": "created_at",
    "owner": "comment",
    "instance": "instance__name",
    "used": "last_used_at",
    "expires": "expires_at",
}


@page(VIEWER)
def ssh_keys(request: HttpRequest) -> HttpResponse:
    """Which keys open what, the oldest first; tab, filters and order are in the address."""
    now, pk = timezone.now(), request.GET.get("instance", "")
    about = visible_instance(instance_id=pk, principal=request.principal) if pk else None
    whole = SshKey.objects.visible_to(request.principal).current()
    whole = whole.filter(instance=about) if about else whole
    whole = whole.weak() if request.GET.get("weak") else whole
    counts = queries.counts(whole, now)
    tab = request.GET.get("status", "active")
    tab = tab if tab in TABS else "active"
    found = whole if tab == "all" else whole.in_status(tab.upper(), now)
    sort = request.GET.get("sort", "age")
    sort = sort if sort.removeprefix("-") in SORTS else "age"
    shown = Paginator(ordered(found, sort), PER_PAGE).get_page(request.GET.get("page"))
    least = raised_door(OPERATOR)
    context = PLACE | {
        "page": shown,
        "rows": [(one, one.status(now), request.principal.may(least, team_id=one.instance.team_id)) for one in shown],
        "tab": tab,
        "tabs": [(name, text, counts["total" if name == "all" else name]) for name, text in TABS.items()],
        "weak": bool(request.GET.get("weak")),
        "weak_count": counts["weak"],
        "sort": sort,
        "about": about,
        "server_key": server_key.get(),
        "may_enter": request.principal.may_somewhere(least),
        "may_generate": request.principal.may(ADMIN),
    }
    return render(request, "security/ssh_keys.html", context)


def ordered(keys: SshKeyQuerySet, sort: str) -> QuerySet[SshKey]:
    """In the order of a column; what is not known comes last."""
    column = F(SORTS[sort.removeprefix("-")])
    by = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    return keys.select_related("instance").order_by(by, "pk")


@page(VIEWER)
def new(request: HttpRequest) -> HttpResponse:
    """Enter a key that no agent told of."""
    initial = {"instance_id": request.GET.get("instance", "")[:64]}
    form = SshKeyForm(request.POST or None, initial=initial, principal=request.principal)
    if request.method == "POST" and form.is_valid():
        pk = form.cleaned_data["instance_id"]
        instance = visible_instance(instance_id=pk, principal=request.principal)
        try:
            key = services.enter(instance=instance, actor=request.principal, request=request, **form.fields_of())
        except Invalid as error:
            show_errors(form, error)
        else:
            messages.success(request, f"Saved: {key.comment or key.fingerprint} on {instance.name}.")
            return redirect("ui:security-ssh-keys")
    context = PLACE | {"form": form}
    return render(request, "security/ssh_key_form.html", context, status=422 if form.errors else 200)


@page(VIEWER)
def revoke(request: HttpRequest, pk: str) -> HttpResponse:
    """Say that a key must not open its machine any more; asks first."""
    key = services.get_visible(principal=request.principal, pk=pk)
    require(request.principal, raised_door(OPERATOR), team_id=key.instance.team_id)
    if request.method == "POST":
        services.revoke(key=key, actor=request.principal, now=timezone.now(), request=request)
        messages.success(request, f"Revoked: {key.comment or key.fingerprint} on {key.instance.name}.")
        return redirect("ui:security-ssh-keys")
    return render(request, "security/ssh_key_revoke.html", PLACE | {"key": key})


@require_POST
@page(ADMIN)
def generate(request: HttpRequest) -> HttpResponse:
    """Make the key with which Pharos opens machines; one that is there is left alone unless it is to be replaced."""
    replace = request.POST.get("replace") == "yes"
    try:
        server_key.generate(actor=request.principal, now=timezone.now(), replace=replace, request=request)
    except ApiError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The server has a new key. Add its public part to the machines that it should open.")
    return redirect("ui:security-ssh-keys")
