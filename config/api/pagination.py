"""Two ways to page. Both refuse a queryset without an order: its pages could overlap."""

import re
from math import ceil
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from config.api.errors import Invalid

_WHOLE = re.compile(r"-?[0-9]{1,19}")
DEEP = 1000  # an offset from which rows are looked up by their keys
FURTHEST = 2**63 - 1  # what a database takes as an offset


def integer(request: Any, name: str, default: int, lowest: int, highest: int) -> int:
    """A whole number from the query; raises Invalid when it is none or out of range."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    value = int(text) if _WHOLE.fullmatch(text) else lowest - 1
    if not lowest <= value <= highest:
        sentence = f"{name} must be a whole number from {lowest} to {highest}"
        raise Invalid(sentence, details={name: [sentence]})
    return value


def _ordered(rows: Any) -> None:
    if isinstance(rows, QuerySet) and not rows.ordered:
        raise AssertionError(f"{rows.model.__name__} is paged without an order")


def _by_key(rows: QuerySet, offset: int, limit: int) -> list[Any]:
    """A page deep in a list: the rows before it are passed in the index alone, without reading and joining them."""
    keys = list(rows.values_list("pk", flat=True)[offset : offset + limit])
    found = {row.pk: row for row in rows.filter(pk__in=keys)}
    return [found[key] for key in keys if key in found]


class PagePagination(BasePagination):
    """`page` and `limit` (or `pageSize`) with totals (contract: fleet console §1.6).

    The view names its array in `list_name`; `max_limit` may widen the page.
    """

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        _ordered(queryset)
        self.list_name = getattr(view, "list_name", "data")
        highest = getattr(view, "max_limit", 100)
        size_name = "pageSize" if "pageSize" in request.query_params else "limit"
        self.limit = integer(request, size_name, 20, 1, highest)
        self.page = integer(request, "page", 1, 1, 1_000_000)
        self.total = queryset.count() if isinstance(queryset, QuerySet) else len(queryset)
        start = (self.page - 1) * self.limit
        return list(queryset[start : start + self.limit]) if start < self.total else []

    def get_paginated_response(self, data: Any) -> Response:
        return Response(page_body(self.list_name, data, page=self.page, limit=self.limit, total=self.total))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        numbers = {name: {"type": "integer"} for name in ("total", "page", "pageSize", "totalPages")}
        return {
            "type": "object",
            "properties": {"data": schema, "pagination": {"type": "object", "properties": numbers}} | numbers,
        }


def page_body(name: str, rows: Any, *, page: int, limit: int, total: int) -> dict[str, Any]:
    """The body of a paged list: the named array, the same as `data`, and the totals in both places."""
    pages = ceil(total / limit)
    flat = {"total": total, "page": page, "pageSize": limit, "totalPages": pages}
    return {name: rows, "data": rows, "pagination": {"limit": limit, **flat}, **flat}


class OffsetPagination(BasePagination):
    """`limit` and `offset`, a bare array, `X-Total-Count` (contract: monitors §1). `default_limit` on the view."""

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        _ordered(queryset)
        limit = integer(request, "limit", getattr(view, "default_limit", 50), 1, 200)
        offset = integer(request, "offset", 0, 0, FURTHEST)
        self.total = queryset.count() if isinstance(queryset, QuerySet) else len(queryset)
        if offset >= DEEP and isinstance(queryset, QuerySet):
            return _by_key(queryset, offset, limit)
        return list(queryset[offset : offset + limit])

    def get_paginated_response(self, data: Any) -> Response:
        return Response(data, headers={"X-Total-Count": str(self.total)})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return schema
