"""Reads of terminal sessions."""

import uuid

from django.db.models import Q, QuerySet

from config.api.authentication import Principal
from config.api.errors import NotFound
from config.api.permissions import ADMIN
from fleet.instances.models import Instance
from fleet.terminals.models import TerminalRecording, TerminalSession


def active_count(principal: Principal) -> int:
    """How many sessions are ACTIVE on instances that the caller may see (contract: fleet console §3)."""
    return TerminalSession.objects.active().visible_to(principal).count()


def get_own(*, session_id: uuid.UUID, principal: Principal) -> TerminalSession:
    """The session that the caller opened and that has not ended. Raises NotFound for any other."""
    own = TerminalSession.objects.live().visible_to(principal).filter(user_id=principal.user.pk)
    session = own.select_related("instance", "user").filter(pk=session_id).first()
    if session is None:
        raise NotFound(f"Terminal session '{session_id}' not found")
    return session


def recording_of(session_id: uuid.UUID) -> TerminalRecording:
    """What the session showed. Raises NotFound when it was not recorded, still runs, or is not kept any more."""
    kept = TerminalRecording.objects.select_related("session__instance")
    recording = kept.filter(session_id=session_id).first()
    if recording is None:
        raise NotFound("There is no recording of this terminal session")
    return recording


def of_instance(instance: Instance, principal: Principal) -> QuerySet[TerminalSession]:
    """Sessions on the instance, newest first: the caller's own, and everybody's for an administrator."""
    seen = Q() if principal.role == ADMIN else Q(user_id=principal.user.pk)
    sessions = TerminalSession.objects.filter(seen, instance=instance).select_related("recording")
    return sessions.defer("recording__content").order_by("-created_at", "-id")
