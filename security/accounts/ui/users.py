"""Settings: users and their roles [ADMIN]."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET

from config.api.errors import ApiError, NotFound
from config.api.permissions import ADMIN, VIEWER
from config.pages import page, show_errors
from security.accounts import in_force, services
from security.accounts.forms import NewUserForm, UserForm
from security.accounts.models import Role, User

PAGE_SIZE = 50


@require_GET
@page(VIEWER)
def settings(request: HttpRequest) -> HttpResponse:
    """The way to every part of the settings."""
    return render(request, "security/settings.html", {"is_admin": request.principal.may(ADMIN)})


@require_GET
@page(VIEWER)
def retention(request: HttpRequest) -> HttpResponse:
    """What is kept how long."""
    return render(request, "security/retention.html", {"rules": in_force.kept()})


@require_GET
@page(ADMIN)
def policy(request: HttpRequest) -> HttpResponse:
    """The rules of security that are in force."""
    return render(request, "security/policy.html", {"subjects": in_force.policy()})


@require_GET
@page(ADMIN)
def users(request: HttpRequest) -> HttpResponse:
    """Everybody who can get in, people and service users."""
    text, role = request.GET.get("search", "").strip()[:128], request.GET.get("role", "")
    rows = (
        User.objects.order_by("name", "email", "pk")
        .prefetch_related("memberships__team")
        .select_related("code_generator")
    )
    if text:
        rows = rows.filter(Q(email__icontains=text) | Q(name__icontains=text))
    if role in Role.values:
        rows = rows.filter(role=role)
    facts = {
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "roles": Role.choices,
        "search": text,
        "role": role,
    }
    return render(request, "security/users.html", facts)


@sensitive_post_parameters()
@page(ADMIN)
def new_user(request: HttpRequest) -> HttpResponse:
    """Add a person."""
    form = NewUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = services.create_user(actor=request.principal, **form.cleaned_data)
        except ApiError as error:
            show_errors(form, error)
        else:
            messages.success(request, f"{user} can sign in now.")
            return redirect("ui:settings-users")
    facts = {"form": form, "heading": "Add user", "submit": "Add user"}
    return render(request, "security/user.html", facts, status=422 if form.errors else 200)


@sensitive_post_parameters()
@page(ADMIN)
def user(request: HttpRequest, id: str) -> HttpResponse:
    """One user: name, role, access, a new password."""
    person = _user(id)
    names = ("name", "email", "role", "is_active")
    form = UserForm(request.POST or None, initial={name: getattr(person, name) for name in names})
    if not person.is_person:
        del form.fields["email"], form.fields["password"]
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        password = given.pop("password", "") or None
        try:
            services.update_user(user=person, actor=request.principal, password=password, **given)
        except ApiError as error:
            show_errors(form, error)
        else:
            messages.success(request, f"{person} was saved.")
            return redirect("ui:settings-users")
    facts = {"form": form, "heading": str(_user(id)), "submit": "Save", "person": person}
    return render(request, "security/user.html", facts, status=422 if form.errors else 200)


@page(ADMIN)
def delete_user(request: HttpRequest, id: str) -> HttpResponse:
    """Ask, then remove a user."""
    person, error = _user(id), ""
    if request.method == "POST":
        try:
            services.delete_user(user=person, actor=request.principal)
        except ApiError as refusal:
            error = refusal.message
        else:
            messages.success(request, f"{person} was deleted.")
            return redirect("ui:settings-users")
    facts = {
        "heading": f"Delete {person}?",
        "text": f"{person.email} loses access at once: {person.api_keys.filter(revoked_at=None).count()} API keys stop "
        f"working and {person.sessions.count()} sessions end. What the user did stays in the audit log.",
        "verb": "Delete user",
        "cancel_url": reverse("ui:settings-user", args=[person.pk]),
        "error": error,
    }
    return render(request, "security/confirm.html", facts, status=409 if error else 200)


def _user(id: str) -> User:
    found = User.objects.filter(pk=id).first()
    if found is None:
        raise NotFound("There is no such user")
    return found
