"""What Django's admin, the tool of support staff, is made of here.

The apps register their models in their own `admin.py`; nothing there can be edited past the services.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from config.api.permissions import ADMIN
from config.pages import to_the_door


class Site(admin.AdminSite):
    """The stock site behind our own sign-in page, with its lock-out and its audit."""

    site_header = site_title = "Pharos support"
    index_title = "Everything that is stored"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.principal is not None and super().has_permission(request)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.principal is not None:
            raise PermissionDenied(f"The admin needs the {ADMIN} role.")
        if request.refusal is not None:
            return to_the_door(request)
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = HttpResponseRedirect(reverse("ui:logout"))
        response.status_code = 307  # a POST stays a POST
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("ui:account")


class ReadOnlyAdmin(admin.ModelAdmin):
    """Looked at, not edited: changes go through the product, which checks, announces and audits them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
