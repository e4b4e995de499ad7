"""GET and POST /api/settings/license (contract: monitors §9). Without public keys nothing is ever enforced."""

from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.permissions import ADMIN, VIEWER
from config.api.views import ApiView
from monitors.monitors.models import Monitor


class Licence(ApiView):
    """The community tier: no limits."""

    roles = {"get": VIEWER, "post": ADMIN}
    rate_class = "monitors"

    def get(self, request: Request) -> Response:
        return Response(
            {
                "tier": "community",
                "monitorLimit": None,
                "monitorsUsed": Monitor.objects.count(),
                "validUntil": None,
                "enforced": False,
                "agentLimit": None,
                "minIntervalSeconds": None,
                "status": "none",
                "issuedTo": None,
            }
        )

    def post(self, request: Request) -> Response:
        data = request.data
        key = data.get("licenseKey") if isinstance(data, dict) else None
        if not isinstance(key, str) or not key.strip():
            raise Invalid("A licence key is needed", details={"licenseKey": ["This field is required."]})
        sentence = "No licence can be checked: no public key is configured, and nothing is limited."
        raise Invalid(sentence, details={"licenseKey": [sentence]})
