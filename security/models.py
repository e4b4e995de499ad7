"""All models of the app, so that Django finds them."""

from security.accounts.models import Membership, Session, Team, User
from security.audit.models import AuditEntry, AuditHead
from security.keys.models import ApiKey

__all__ = ["ApiKey", "AuditEntry", "AuditHead", "Membership", "Session", "Team", "User"]
