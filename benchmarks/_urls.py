"""The product's routes and the naive ones."""

from benchmarks._naive.api import NaiveHeartbeats
from benchmarks._naive.logs import NaiveLogs
from config.api.routers import route
from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as product

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    route("api/v1/naive/logs", NaiveLogs.as_view()),
    route("api/v1/naive/<id>", NaiveHeartbeats.as_view()),
    *product,
]
