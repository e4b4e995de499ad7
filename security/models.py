"""All models of the app, so that Django finds them."""

from security.accounts.models import Membership, Session, Team, User
from security.audit.models import AuditEntry, AuditHead
from security.keys.models import ApiKey, Refusal
from security.saved.models import SavedView

__all__ = ["ApiKey", "AuditEntry", "AuditHead", "Membership", "Refusal", "SavedView", "Session", "Team", "User"]
