"""The page of compliance: every control with what speaks for or against it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.api.permissions import VIEWER
from config.pages import page
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from security.posture import queries
from security.posture.controls import Check, in_words
from security.rotations.models import Rotation
from security.ssh_keys.models import SshKey
from security.vulnerabilities.models import Finding

PLACE = {"place": "compliance"}
NAMED = 20  # pieces of evidence that each control shows
# The page that lists all that speaks against a control.
LISTS = {
    "no-critical-vulns": ("ui:security", "severity=critical"),
    "no-high-vulns": ("ui:security", "severity=high"),
    "secrets-rotated": ("ui:security-rotations", "overdue=yes"),
    "no-weak-ssh": ("ui:security-ssh-keys", "weak=yes"),
    "ssh-keys-current": ("ui:security-ssh-keys", "status=expired"),
}


@dataclass(frozen=True)
class Line:
    """A piece of evidence: what, where it is told of in full, and the moment that matters for it, in words."""

    text: str
    instance: Instance
    url: str
    word: str
    at: datetime | None


@page(VIEWER)
def compliance(request: HttpRequest) -> HttpResponse:
    """Of one instance, else of all that the reader sees."""
    now, pk = timezone.now(), request.GET.get("instance", "")
    about: Instance | None = get_visible(instance_id=pk, principal=request.principal) if pk else None
    found = queries.compliance(request.principal, about, now=now, named=NAMED)
    context = PLACE | {
        "about": about,
        "compliance": found,
        "controls": [
            (check, address(check, about), [line(piece, now) for piece in check.evidence]) for check in found.checks
        ],
        "score": found.score,
        "coverage": queries.coverage(request.principal, about),
        "now": now,
        "api_path": "/api/v1/security/compliance" + (f"?instanceId={about.pk}" if about else ""),
    }
    return render(request, "security/compliance.html", context)


def address(check: Check, about: Instance | None) -> str:
    """The list of all that speaks against a control."""
    name, query = LISTS[check.id]
    return f"{reverse(name)}?{query}" + (f"&instance={about.pk}" if about else "")


def line(piece: Any, now: datetime) -> Line:
    """One piece of evidence for people."""
    match piece:
        case Finding():
            url, late = reverse("ui:finding", args=[piece.pk]), piece.is_overdue(now)
            word, at = ("should have been fixed", piece.due_at) if late else ("to be fixed", piece.due_at)
        case Rotation():
            url, word, at = f"{reverse('ui:security-rotations')}?instance={piece.instance_id}", "due", piece.due_at
        case SshKey():
            url = f"{reverse('ui:security-ssh-keys')}?instance={piece.instance_id}&status=all"
            expired = piece.is_expired(now)
            word, at = ("expired", piece.expires_at) if expired else ("known since", piece.created_at)
    return Line(in_words(piece), piece.instance, url, word, at)
