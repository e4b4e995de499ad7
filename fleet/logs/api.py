"""The routes of logs (contract: fleet console §8). Lists are encoded straight from rows: they are long."""

from collections import Counter
from concurrent.futures import TimeoutError
from dataclasses import replace
from enum import IntEnum
from typing import Any, TypeVar

import msgspec
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from config.api import parsers
from config.api.errors import Invalid, Unavailable
from config.api.pagination import integer, page_body
from config.api.parameters import moment
from config.api.permissions import VIEWER
from config.api.views import ApiView, check_id
from fleet.agents.budget import budget
from fleet.instances.queries import get_visible
from fleet.logs import queries, services, statistics
from fleet.logs.entries import Entry, Given, read_batch, read_one
from fleet.logs.models import Level, Source
from fleet.logs.queries import Filters

MOST_BYTES = 48 << 20  # 1,000 lines of 10,000 characters of any script
COMMIT_WITHIN_S = 15
Word = TypeVar("Word", bound=IntEnum)


class LogsView(ApiView):
    """Reads of log lines within what the caller may see."""

    roles = {"get": VIEWER}

    def filters(self, instance_id: str | None = None) -> Filters:
        """What the query asks for, of the instance of the URL or of `instanceId`. Raises Invalid, NotFound."""
        wanted = instance_id or self.request.GET.get("instanceId") or None
        if wanted:
            wanted = get_visible(instance_id=wanted, principal=self.request.principal).pk
        search = self.text("search", 512)
        return replace(
            self.span(wanted),
            levels=self.words("level", Level),
            sources=self.words("source", Source),
            deployment_id=self.text("deploymentId", 128) or None,
            search=search,
        )

    def span(self, instance_id: str | None) -> Filters:
        """The range of time alone."""
        since, until = moment(self.request, "from"), moment(self.request, "to")
        return Filters(instance_id=instance_id, since=since, until=until)

    def words(self, name: str, kind: type[Word]) -> tuple[Word, ...]:
        given = [word.strip() for word in self.request.GET.get(name, "").split(",") if word.strip()]
        if unknown := [word for word in given if word not in kind.__members__]:
            sentence = f"{name} must be one of {', '.join(kind.__members__)}, not {unknown[0][:40]}"
            raise Invalid(sentence, details={name: [sentence]})
        return tuple(kind[word] for word in given)

    def text(self, name: str, longest: int) -> str:
        value = self.request.GET.get(name, "").strip()
        if len(value) > longest or "\x00" in value:
            sentence = f"{name} may have at most {longest} characters and no NUL"
            raise Invalid(sentence, details={name: [sentence]})
        return value


class Logs(LogsView):
    """Lines, newest first; of the fleet or of one instance."""

    def get(self, request: Any, id: str | None = None) -> HttpResponse:
        filters, principal = self.filters(id), request.principal
        size = "pageSize" if "pageSize" in request.GET else "limit"
        limit, number = integer(request, size, 20, 1, 500), integer(request, "page", 1, 1, 1_000_000)
        known = None
        if not (filters.search or filters.deployment_id):
            known = statistics.total(filters, principal)
        offset, before = (number - 1) * limit, self.text("before", 25)
        page = queries.page(filters, principal, offset=offset, limit=limit, total=known, before=before)
        rows = [entry.wire() for entry in page.entries]
        body = page_body("logs", rows, page=number, limit=limit, total=page.total)
        if not page.exact:
            body["totalIsLeast"] = True  # more than are worth counting
        return _json(body)


class LogStats(LogsView):
    """How many lines, by level and source; of the fleet or of one instance."""

    def get(self, request: Any, id: str | None = None) -> Response:
        if id is None:
            return Response(statistics.of_fleet(self.span(None), request.principal))
        instance = get_visible(instance_id=id, principal=request.principal)
        return Response(statistics.of_instance(self.span(instance.pk), request.principal))


class Log(LogsView):
    """One line."""

    def get(self, request: Any, id: str) -> Response:
        check_id("Log", id)
        return Response(queries.one(id, request.principal).wire())


class Ingest(ApiView):
    """One line; answered when it is on disk."""

    roles = {"post": VIEWER}  # the contract's oddity: whom the caller sees it may write for
    rate_class = None
    most_bytes = MOST_BYTES
    parser_classes = (parsers.raw(MOST_BYTES),)

    @extend_schema(request={"application/json": OpenApiTypes.OBJECT}, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Any) -> Response:
        [entry] = self.store(read_one(request.data or b""))
        return Response(entry.wire(), status=201)

    def store(self, given: list[Given]) -> list[Entry]:
        """Commit the lines, all or none. Raises what `services.ingest` raises, TooMany, Unavailable when it is slow."""
        sizes: Counter[str] = Counter()
        for one in given:
            sizes[one.instance_id] += len(one.message)
        for instance_id, size in sizes.items():
            budget.take(instance_id, size)
        entries, stored = services.ingest(given, principal=self.request.principal)
        try:
            stored.result(COMMIT_WITHIN_S)
        except TimeoutError:
            raise Unavailable("The lines could not be stored in time. Send them again.") from None
        return entries


class IngestBatch(Ingest):
    """Up to 1,000 lines, all or none; answered when they are on disk."""

    @extend_schema(request={"application/json": OpenApiTypes.OBJECT}, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Any) -> Response:
        return Response({"count": len(self.store(read_batch(request.data or b"")))}, status=201)


def _json(body: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")
