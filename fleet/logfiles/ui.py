"""The log files of a machine as a page: which there are, and what stands in one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode

from config.api.errors import ApiError, NotFound
from config.api.permissions import VIEWER
from config.pages import page
from fleet.instances.listing import state_of
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from fleet.logfiles import services

LINES = 200


@page(VIEWER)
def files(request: HttpRequest, pk: str) -> HttpResponse:
    """The list; with `path` the file's last lines, or those from `offset` on."""
    found, path = get_visible(instance_id=pk, principal=request.principal), request.GET.get("path", "")
    about = {"instance": found, "state": state_of(found, timezone.now()), "tab": "files", "path": path}
    base = f"/api/v1/instances/{found.pk}/logs"
    about["api_path"] = f"{base}/file?{urlencode({'path': path})}" if path else f"{base}/sources"
    try:
        about |= _part(found, path, request.GET.get("offset", "")) if path else _sources(found)
    except NotFound as error:
        about["fault"] = error.message
    except ApiError as error:
        about["fault"] = f"{error.message}. Log files are read on the machine, by its agent."
    return render(request, "fleet/instance_files.html", about)


def _sources(found: Instance) -> dict[str, Any]:
    rows = services.sources(instance=found)
    return {"sources": [{"file": row, "written_at": parse_datetime(row.last_modified or "")} for row in rows]}


def _part(found: Instance, path: str, given: str) -> dict[str, Any]:
    offset = int(given) if given.isascii() and given.isdecimal() and len(given) < 12 else 0
    if not offset:
        total = services.part_of(instance=found, path=path, lines=1).total_lines or 1
        offset = max(1, total - LINES + 1)
    part = services.part_of(instance=found, path=path, lines=LINES, offset=max(1, offset))
    last = offset + len(part.lines) - 1
    return {
        "lines": part.lines,
        "first": offset,
        "last": last,
        "total": part.total_lines,
        "earlier": max(1, offset - LINES) if offset > 1 else None,
        "later": last + 1 if part.lines and (part.total_lines is None or last < part.total_lines) else None,
    }
