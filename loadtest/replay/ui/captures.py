"""Captures and imported cases: the list, the exchanges of one, and what can be made of it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, Forbidden, Invalid, NotFound
from config.api.permissions import OPERATOR, VIEWER, require
from config.pages import page
from loadtest.replay.captures import collecting, documents, reading, replaying, services
from loadtest.replay.captures.models import Capture
from loadtest.replay.documents import checks
from loadtest.replay.sessions.models import Session
from loadtest.replay.sessions.services import team_of
from loadtest.replay.spans.exchange import Body, Exchange
from loadtest.replay.ui.common import faults_of, show, typed

PER_PAGE = 25
TRACES = 50  # of a case on one page
MOST_SHOWN = 64 << 10  # characters of a body
MOST_TARGETS = 20  # open sessions offered for a try


@page(VIEWER)
def captures(request: HttpRequest) -> HttpResponse:
    """Captures and imported cases, the newest first."""
    found = Capture.objects.visible_to(request.principal).order_by("-created_at", "-id")
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    may = request.principal.may_open(OPERATOR)
    return show(request, "replay/captures.html", {"place": "captures", "page": shown, "may_operate": may})


@page(VIEWER)
def capture(request: HttpRequest, pk: str) -> HttpResponse:
    """The exchanges of a case; `?at=<trace>.<span>` opens one."""
    found = services.get_visible(capture_id=pk, principal=request.principal)
    traces = Paginator(range(found.trace_count), TRACES).get_page(request.GET.get("page"))
    start = (traces.number - 1) * TRACES
    chosen = reading.one(found, request.GET["at"]) if "at" in request.GET else None
    if "at" in request.GET and chosen is None:
        raise Http404("The case has no such exchange")
    context: dict[str, Any] = {
        "place": "captures",
        "api_path": f"/api/replay/v1/captures/{found.pk}",
        "capture": found,
        "case_id": found.head.get("caseId", found.pk),
        "rows": reading.seen(found, start=start, count=TRACES),
        "page": traces,
        "may_operate": request.principal.may(OPERATOR, team_id=found.team_id),
    }
    if chosen:
        targets = Session.objects.open().visible_to(request.principal).exclude(mode="capture")
        context |= {
            "chosen": chosen,
            "took_ms": took_ms(chosen.exchange),
            "asked_body": shown(chosen.exchange.body),
            "told_body": shown(chosen.exchange.response.body if chosen.exchange.response else None),
            "targets": targets.order_by("-created_at", "-id")[:MOST_TARGETS],
        }
    return show(request, "replay/capture.html", context)


def took_ms(one: Exchange) -> float | None:
    """Milliseconds between its begin and end; None where either is not known."""
    known = one.started_ns and one.ended_ns >= one.started_ns
    return (one.ended_ns - one.started_ns) / 1_000_000 if known else None


def shown(body: Body | None) -> dict[str, Any] | None:
    """A body for a person: text as it is, of bytes only their number."""
    if body is None:
        return None
    binary = body.encoding == "base64"
    text = "" if binary else body.text
    return {"text": text[:MOST_SHOWN], "binary": binary, "size": len(body.content), "truncated": body.truncated,
            "cut": len(text) > MOST_SHOWN}  # fmt: skip


@page(VIEWER)
def file(request: HttpRequest, pk: str, form: str) -> HttpResponseBase:
    """The case as a file: `case` or `har`."""
    found = services.get_visible(capture_id=pk, principal=request.principal)
    chunks, ending = {"har": (documents.as_har, "har"), "case": (documents.as_case, "case.json")}[form]
    headers = {"Content-Disposition": f'attachment; filename="{found.pk}.{ending}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(chunks(found), content_type="application/json; charset=utf-8", headers=headers)


@page(OPERATOR)
def bring_in(request: HttpRequest) -> HttpResponse:
    """Keep a HAR or a case document that was made elsewhere."""
    context: dict[str, Any] = {"place": "captures", "most": settings.REPLAY_MAX_BODY_BYTES}
    if request.method == "POST":
        principal = request.principal
        try:
            document = typed(content_of(request))
            made, skipped = services.bring_in(
                document=document, actor=principal, team_id=team_of(principal), now=timezone.now()
            )
        except (Forbidden, NotFound):
            raise
        except ApiError as error:
            context |= {"faults": faults_of(error), "content": request.POST.get("content", "")}
            return show(request, "replay/import.html", context, status=422)
        messages.success(request, told(made, skipped))
        if large := checks.warnings(document) if "traces" in document else []:
            messages.warning(request, f"Larger than advised, and slower: {large[0]['path']} {large[0]['message']}.")
        return redirect("ui:replay-capture", pk=made.pk)
    return show(request, "replay/import.html", context)


def content_of(request: HttpRequest) -> str:
    """The text of the file, else what was pasted. Raises Invalid."""
    if upload := request.FILES.get("file"):
        if upload.size > settings.REPLAY_MAX_BODY_BYTES:
            raise Invalid(f"The file is larger than {settings.REPLAY_MAX_BODY_BYTES >> 20} MiB")
        try:
            return upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Invalid("The file is not text in UTF-8") from None
    if content := request.POST.get("content", "").strip():
        return content
    raise Invalid("Choose a file or paste a document.")


def told(made: Capture, skipped: list[dict[str, Any]]) -> str:
    left = (
        f" {len(skipped)} could not be used; the first, entry {skipped[0]['entry']}: {skipped[0]['reason']}."
        if skipped
        else ""
    )
    return f"{made.trace_count:,} exchange{'' if made.trace_count == 1 else 's'} kept.{left}"


@require_POST
@page(OPERATOR)
def act(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """Replay the case in a new session, or turn it into a collection of requests."""
    found = services.get_visible(capture_id=pk, principal=request.principal)
    require(request.principal, OPERATOR, team_id=found.team_id)
    try:
        return ACTS[name](request, found)
    except (Forbidden, NotFound):
        raise
    except ApiError as error:
        messages.error(request, error.message)
        return redirect("ui:replay-capture", pk=pk)


def _replay(request: HttpRequest, found: Capture) -> HttpResponse:
    session = replaying.replay(capture=found, actor=request.principal)
    messages.success(request, "The session is open. It answers as captured and refuses what it does not know.")
    return redirect("ui:replay-session", pk=session.pk)


def _collection(request: HttpRequest, found: Capture) -> HttpResponse:
    made = collecting.collect(capture=found, actor=request.principal)
    left = f" {made['skippedCount']} could not be taken over." if made["skippedCount"] else ""
    messages.success(request, f"A collection of {made['requestCount']} requests was made.{left}")
    return redirect(f"{reverse('ui:loadtest')}?{urlencode({'collection': made['collectionId']})}")


ACTS = {"replay": _replay, "collection": _collection}
