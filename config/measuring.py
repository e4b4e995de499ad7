"""The middleware that counts and times answers for `/metrics`."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import Histogram

ANSWERS = Histogram(
    "pharos_http_answer_seconds",
    "Time from the request's arrival in Django to its answer, by API and by class of status.",
    ["area", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

Handler = Callable[[HttpRequest], HttpResponse]


def measured(get_response: Handler) -> Handler:
    """Count and time answers for `/metrics`. The labels are few, whatever is asked for."""

    def handle(request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = get_response(request)
        area = "api" if request.path.startswith("/api/") else "page"
        method = request.method if request.method in METHODS else "other"
        ANSWERS.labels(area, method, f"{response.status_code // 100}xx").observe(time.perf_counter() - start)
        return response

    return handle
