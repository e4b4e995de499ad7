"""`/api/v1/profiles`, `/api/v1/registry/…` and `/api/v1/version` (contract: fleet console §2, §27). snake_case."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.permissions import VIEWER
from config.api.routers import route
from config.api.views import ApiView
from config.version import VERSION
from fleet.registry import queries
from fleet.registry.sources import Failed, Missing

PROFILE = ("name", "description", "extensions", "extension_count")


def answered(read: Callable[[], dict[str, Any]], **without: Any) -> Response:
    """What was read; 503 or 502 with `without` when nothing can be asked."""
    try:
        return Response(read())
    except Missing as error:
        status, reason, message = 503, "CLI_UNAVAILABLE", str(error)
    except Failed as error:
        status, reason, message = 502, "CLI_ERROR", str(error)
    return Response({"error": reason, "message": message, "statusCode": status, **without}, status=status)


class RegistryView(ApiView):
    """Something that the registry knows; `read` gives it."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return answered(lambda: self.read(request), fallback=True)

    def read(self, request: Request) -> dict[str, Any]:
        raise NotImplementedError


class Extensions(RegistryView):
    """Extensions by `?category=` and `?search=`."""

    def read(self, request: Request) -> dict[str, Any]:
        category, search = (request.GET.get(name, "").strip() for name in ("category", "search"))
        found = queries.extensions(category=category, search=search)
        return {"extensions": found, "total": len(found)}


class Categories(RegistryView):
    """Categories with the numbers of their extensions."""

    def read(self, request: Request) -> dict[str, Any]:
        return {"categories": queries.categories()}


class RegistryProfiles(RegistryView):
    """Profiles, with what they depend on counted."""

    def read(self, request: Request) -> dict[str, Any]:
        return {"profiles": queries.profiles()}


class RegistryVersion(RegistryView):
    """The version of what answers."""

    def read(self, request: Request) -> dict[str, Any]:
        return queries.version()


class CliStatus(RegistryView):
    """Whether the registry can be asked."""

    def read(self, request: Request) -> dict[str, Any]:
        return queries.status()


class Profiles(ApiView):
    """Profiles for the frontend's choice."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return answered(
            lambda: {"profiles": [{name: one[name] for name in PROFILE} for one in queries.profiles()]}, profiles=[]
        )


class ProductVersion(ApiView):
    """The product's version, and that of the command line beside it; null without one."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        found = queries.command_line_version()
        least = ".".join([*found.version.lstrip("v").split(".")[:2], "0"]) if found else None
        return Response(
            {
                "console_api": VERSION,
                "sindri_cli": found and found.version,
                "cli_target": found and found.target,
                "cli_commit": found and found.commit,
                "cli_build_date": found and found.build_date,
                "min_instance_version": least,
                "cli_available": found is not None,
            }
        )


urls = [
    route("profiles", Profiles.as_view()),
    route("registry/extensions", Extensions.as_view()),
    route("registry/extensions/categories", Categories.as_view()),
    route("registry/profiles", RegistryProfiles.as_view()),
    route("registry/version", RegistryVersion.as_view()),
    route("registry/cli-status", CliStatus.as_view()),
    route("version", ProductVersion.as_view()),
]
