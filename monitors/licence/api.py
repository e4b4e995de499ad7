"""GET and POST /api/settings/license (contract: monitors §9)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.fields import seconds
from config.api.permissions import ADMIN, VIEWER
from config.api.views import ApiView
from monitors.licence import services
from monitors.monitors.models import Monitor


class Licence(ApiView):
    """What the licence allows, and a new key. The key itself is never shown."""

    roles = {"get": VIEWER, "post": ADMIN}
    rate_class = "monitors"

    def get(self, request: Request) -> Response:
        return Response(about(services.standing()))

    def post(self, request: Request) -> Response:
        data = request.data
        key = data.get("licenseKey") if isinstance(data, dict) else None
        if not isinstance(key, str) or not key.strip():
            raise Invalid("A licence key is needed", details={"licenseKey": ["This field is required."]})
        return Response(about(services.install(text=key, actor=request.auth, request=request)))


def about(here: services.Standing) -> dict[str, Any]:
    return {
        "tier": here.tier,
        "monitorLimit": here.monitor_limit,
        "monitorsUsed": Monitor.objects.count(),
        "validUntil": seconds(here.valid_until),
        "enforced": here.enforced,
        "agentLimit": here.agent_limit,
        "minIntervalSeconds": here.min_interval_s,
        "status": here.status,
        "issuedTo": here.issued_to,
    }
