"""What the resources that say how alerts are handled share: list, read, make, change, delete, each write audited."""

from typing import Any

from django.db import IntegrityError, models, transaction
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Conflict
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import FleetViewSet
from security.audit.services import record


class HandlingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, FleetViewSet):
    """`resource` is the word of the audit; the serializer's `create` and `update` store."""

    filter_backends = ()
    resource = ""
    roles = {"list": VIEWER, "retrieve": VIEWER, "create": OPERATOR, "update": OPERATOR, "destroy": OPERATOR}

    def create(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = store(body, resource=self.resource, noun=self.noun, request=request)
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def update(self, request: Request, pk: str) -> Response:
        body = self.get_serializer(self.get_object(), data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        row = store(body, resource=self.resource, noun=self.noun, request=request)
        return Response(self.get_serializer(row).data)

    def destroy(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        before, name = self.get_serializer(row).data, str(row)
        remove(row, before=before, resource=self.resource, noun=self.noun, request=request)
        return Response({"message": f"{self.noun} deleted", "id": pk, "name": name})


@transaction.atomic
def store(body: Any, *, resource: str, noun: str, request: Any) -> models.Model:
    """Save what a valid serializer holds, and audit it. Raises Conflict for a name that is taken."""
    known = body.instance is not None
    before = dict(type(body)(body.instance).data) if known else None
    try:
        with transaction.atomic():
            row = body.save()
    except IntegrityError:
        raise Conflict(f"{noun} with this name or between these two exists already") from None
    row.refresh_from_db()
    _audit("UPDATE" if known else "CREATE", row.pk, resource, request, before=before, after=dict(type(body)(row).data))
    return row


@transaction.atomic
def remove(row: models.Model, *, before: Any, resource: str, noun: str, request: Any) -> None:
    """Delete and audit. Raises Conflict when something needs it."""
    key = row.pk
    try:
        row.delete()
    except models.ProtectedError:
        raise Conflict(f"{noun} is in use") from None
    _audit("DELETE", key, resource, request, before=dict(before))


def _audit(action: str, key: str, resource: str, request: Any, **facts: Any) -> None:
    record(actor=request.principal, action=action, resource=resource, resource_id=key, request=request, **facts)
