"""Captures end, cases come in from elsewhere, and both go after a while (contract: traffic replay §9, §12)."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import ApiError
from config.api.permissions import OPERATOR, require
from loadtest.replay.captures import files, keeping
from loadtest.replay.captures.models import Capture, Origin, new_capture_id
from loadtest.replay.documents import checks
from loadtest.replay.har.reading import read_har
from loadtest.replay.matching.redaction import scrub
from loadtest.replay.sessions.errors import checked, no_capture
from loadtest.replay.sessions.models import Session, is_id
from loadtest.replay.spans.reading import spans
from security.audit.services import record

log = logging.getLogger(__name__)
PRUNED_AT_ONCE = 100


def get_visible(*, capture_id: str, principal: Principal | None) -> Capture:
    """The capture, if the caller may see it. Raises NotFound."""
    found = Capture.objects.visible_to(principal).filter(pk=capture_id)
    capture = found.first() if is_id(capture_id) else None
    if capture is None:
        raise no_capture(capture_id)
    return capture


def finish(session: Session, *, wish: str = "", now: datetime) -> Capture | None:
    """Close the capture of a session within the caller's transaction, and copy it to a file if a folder is set.

    None when the session has none. Raises ApiError (500) when the copy cannot be written.
    """
    capture = Capture.objects.select_for_update().filter(pk=session.pk).first()
    if capture is None:
        return None
    capture.closed_at = now
    name = files.file_name(capture, wish=wish, now=now)
    if settings.REPLAY_CAPTURE_DIR:
        try:
            files.write(capture, settings.REPLAY_CAPTURE_DIR, name)
        except OSError as error:
            log.exception("capture %s could not be written to a file", capture.pk)
            text = f"The capture could not be written to a file ({type(error).__name__}); the session stays open"
            raise ApiError(text, status=500, code="internal_error") from None
        capture.file_name = name
    capture.save(update_fields=["closed_at", "file_name"])
    return capture


def path_of(capture: Capture, *, wish: str = "", now: datetime) -> str:
    """What `close` tells as `casePath`: relative to where captures are kept."""
    return f"captures/{capture.file_name or files.file_name(capture, wish=wish, now=now)}"


def bring_in(
    *, document: Any, actor: Principal, team_id: str | None, now: datetime
) -> tuple[Capture, list[dict[str, Any]]]:
    """Keep a HAR or a case document; what of a HAR could not be used is told. Raises Invalid; nothing is kept then."""
    require(actor, OPERATOR, team_id=team_id)
    capture_id, skipped = new_capture_id("case"), []
    if isinstance(document, dict) and "log" in document and "traces" not in document:
        imported = read_har(document, case_id=capture_id)
        document, skipped = imported.case, imported.skipped
    checked(document, checks.case_faults)
    checked(document, checks.case_rule_faults, status=422)
    head = {name: value for name, value in document.items() if name not in ("traces", "fixtures", "captureId")}
    texts, exchanges = [], 0
    for trace in document["traces"]:
        kept = scrub(trace, headers=settings.REPLAY_SCRUB_HEADERS)
        exchanges += sum(span.kind == "extract" for span in spans(kept))
        texts.append((json.dumps(kept, separators=(",", ":")), 1))
    with transaction.atomic():
        capture = Capture.objects.create(
            id=capture_id, origin=Origin.IMPORTED, team_id=team_id, made_by=actor.name, head=head,
            created_at=now, closed_at=now,
        )  # fmt: skip
        keeping.add(capture_id, texts, exchanges)
        record(
            actor=actor, action="CREATE", resource="replay_case", resource_id=capture_id, team_id=team_id,
            traces=len(texts), skipped=len(skipped),
        )  # fmt: skip
    capture.refresh_from_db()
    return capture, skipped


def prune(*, now: datetime) -> int:
    """Drop captures that are older than they are kept, with their files. How many went."""
    before = now - timedelta(days=settings.KEEP_DAYS["captures"])
    open_ones = Session.objects.open().values("pk")
    old = Capture.objects.filter(created_at__lt=before).exclude(pk__in=open_ones).order_by("created_at", "pk")
    gone = 0
    while found := list(old[:PRUNED_AT_ONCE]):
        for capture in found:
            files.remove(capture)
        gone += Capture.objects.filter(pk__in=[capture.pk for capture in found]).delete()[1]["replay.Capture"]
    return gone
