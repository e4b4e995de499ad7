"""Which pages of other sites may call the APIs. The settings name their origins."""

from corsheaders.middleware import CorsMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

NO_CONTENT_BELOW = "/api/loadtest/"  # contract: load testing §1


class Cors(CorsMiddleware):
    """As the library does it, but OPTIONS of any path of load testing is answered at once, with 204."""

    def check_preflight(self, request: HttpRequest) -> HttpResponseBase | None:
        found = super().check_preflight(request)
        if request.method == "OPTIONS" and request.path_info.startswith(NO_CONTENT_BELOW):
            return HttpResponse(status=204)
        return found
