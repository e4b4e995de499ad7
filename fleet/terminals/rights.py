"""Who may have a terminal, and whether a running one may go on (contract: fleet console §33.4)."""

from config.api.authentication import Principal
from config.api.errors import ApiError, Forbidden
from config.api.permissions import DEVELOPER, require
from config.api.scopes import FLEET_WRITE
from fleet.instances.models import Instance, Status
from fleet.terminals.models import TerminalSession
from security.tickets import services as tickets

GONE = (Status.DESTROYED, Status.DESTROYING)


def require_developer(principal: Principal, instance: Instance) -> None:
    """Raise Forbidden unless the caller is a DEVELOPER on the instance.

    A key that agents use lies on many machines: it must not open a shell on any of them.
    """
    if principal.is_agent:
        raise Forbidden("An agent's key opens no terminal")
    require(principal, DEVELOPER, team_id=instance.team_id)


def objection(session: TerminalSession) -> str:
    """Why the session must end, from the rights of now; empty if it may go on."""
    if session.user is None:
        return "the user was removed"
    try:
        principal = tickets.caller(
            user=session.user.pk, key=session.key_id, session=session.web_session_id, scope=FLEET_WRITE
        )
    except ApiError:
        return "the sign-in or key that it hung on has ended"
    instance = Instance.objects.visible_to(principal).filter(pk=session.instance_id).first()
    if instance is None or instance.status in GONE:
        return "the instance is not there any more"
    try:
        require_developer(principal, instance)
    except Forbidden:
        return "the role does not suffice any more"
    return ""
