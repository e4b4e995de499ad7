"""Screenshots of failed browser runs: kept as long as logs, given out as they are."""

from datetime import datetime
from uuid import UUID

from django.http import HttpResponse

from config.api.errors import NotFound
from monitors.runs.models import Screenshot


def answer(run_id: UUID) -> HttpResponse:
    """The image. It never changes and only those who may see the run keep it. Raises NotFound."""
    found = Screenshot.objects.filter(run=run_id).first()
    if found is None:
        raise NotFound("This run has no screenshot")
    headers = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(bytes(found.image), content_type="image/jpeg", headers=headers)


def delete_before(moment: datetime, *, most: int) -> int:
    """Delete at most `most` old screenshots; how many went."""
    old = list(Screenshot.objects.filter(at__lt=moment).order_by("at").values_list("pk", flat=True)[:most])
    return Screenshot.objects.filter(pk__in=old).delete()[0]
