"""The public page and its badges: for anybody, ready-made for some seconds, 404 while switched off."""

from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.api.permissions import ANYONE
from monitors.status_page import badges, queries
from monitors.status_page.models import StatusPage
from monitors.status_page.services import CACHE_KEY, CACHE_S

BADGES = {"status": badges.status, "uptime": badges.uptime}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The status page."""
    made = ready()
    return answer(made["html"], "text/html; charset=utf-8", noindex=made["noindex"])


@require_safe
def badge(request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
    """The badge `status` or `uptime` of a monitor that is on the page."""
    found = ready()["badges"].get((str(pk), name))
    if found is None:
        raise Http404
    response = answer(found, "image/svg+xml", noindex=True)
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def ready() -> dict[str, Any]:
    """The page and its badges as they were made at most CACHE_S seconds ago; 404 while it is off."""
    made = cache.get(CACHE_KEY)
    if made is None:
        made = make()
        cache.set(CACHE_KEY, made, CACHE_S)
    if not made:
        raise Http404
    return made


def make() -> dict[str, Any]:
    """The finished page, for everybody the same: no person's session, zone or theme is in it. Empty while it is off."""
    page = StatusPage.objects.filter(enabled=True).first()
    if page is None:
        return {}
    with timezone.override(None):
        view = queries.view(page, timezone.now())
        html = render_to_string("status_page/public.html", {"view": view})
    drawn = {(str(line.id), name): draw(line) for line in view.lines for name, draw in BADGES.items()}
    return {"html": html, "noindex": view.noindex, "badges": drawn}


def answer(content: str, kind: str, *, noindex: bool) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = f"public, max-age={CACHE_S}"
    if noindex:
        response["X-Robots-Tag"] = "noindex"
    return response


page.roles = {"get": ANYONE}
badge.roles = {"get": ANYONE}
