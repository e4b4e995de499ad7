"""One action on many instances over HTTP (contract: fleet console §5.3)."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.permissions import OPERATOR
from config.api.views import ApiView
from fleet.lifecycle import bodies, bulk


class BulkAction(ApiView):
    """Suspend, resume or destroy up to 50 instances. Teams may raise the caller: the role is looked at for each."""

    roles = {"post": OPERATOR}
    team_attr, detail = "team_id", True

    @extend_schema(request=bodies.BulkSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        body = bodies.read(bodies.BulkSerializer, request.data)
        results = bulk.act_on_all(
            ids=body["instance_ids"],
            action=body["action"],
            actor=request.auth,
            request=request,
            backup_first=(body.get("options") or {}).get("backup_volume", False),
        )
        succeeded = sum(one.error is None for one in results)
        return Response(
            {
                "message": f"{body['action']}: {succeeded} of {len(results)} succeeded",
                "action": body["action"],
                "results": [_told(one) for one in results],
                "summary": {"total": len(results), "succeeded": succeeded, "failed": len(results) - succeeded},
            }
        )


def _told(one: bulk.Result) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "success": one.error is None,
        "error": one.error,
        "newStatus": one.status,
    }
