"""Base classes of API views. A view declares `roles`; everything else has a default here."""

from typing import Any

from django.http import Http404
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from config.api.errors import Malformed, NotFound
from config.api.negotiation import TypedBodies
from config.api.pagination import OffsetPagination, PagePagination

MOST_ID = 128


def check_id(noun: str, text: str) -> None:
    """Raise Malformed for an id that is too long to be one (contract: fleet console §1.5)."""
    if len(text) > MOST_ID:
        raise Malformed(f"Invalid {noun if noun[:2].isupper() else noun.lower()} ID")


class Counted(APIView):
    """Counts a request before it looks who may do what: refused ones are limited too, and carry the headers."""

    def perform_authentication(self, request: Any) -> None:
        for throttle in self.get_throttles():
            throttle.allow_request(request, self)
        super().perform_authentication(request)

    def check_throttles(self, request: Any) -> None:
        """Done already."""


class ApiView(Counted):
    """A view without a model; `roles = {"get": VIEWER}` by HTTP method."""

    roles: dict[str, str] = {}


class ApiViewSet(Counted, GenericViewSet):
    """A viewset; `roles = {"list": VIEWER}` by action. `noun` names the thing in "not found" sentences.

    `by_team`: actions without an object of their own whose service looks into the team of what the body names.
    """

    roles: dict[str, str] = {}
    by_team: tuple[str, ...] = ()
    noun = "Object"
    team_attr: str | None = None

    def get_object(self) -> Any:
        """The object of the URL, if the caller may see it; an invisible one is missing."""
        try:
            return super().get_object()
        except Http404:
            key = self.kwargs.get(self.lookup_url_kwarg or self.lookup_field)
            raise NotFound(f"{self.noun} '{key}' not found") from None


class FleetViewSet(ApiViewSet):
    """Below `/api/v1`: pages with totals. `list_name` names the array of a list."""

    pagination_class = PagePagination
    list_name = "data"
    lookup_value_regex = "[^/]+"

    def get_object(self) -> Any:
        check_id(self.noun, self.kwargs[self.lookup_url_kwarg or self.lookup_field])
        return super().get_object()


class MonitorsViewSet(ApiViewSet):
    """Below `/api/monitors` and its neighbours: bare arrays with `X-Total-Count`."""

    content_negotiation_class = TypedBodies
    pagination_class = OffsetPagination
    rate_class = "monitors"
    lookup_value_regex = "[^/]+"
