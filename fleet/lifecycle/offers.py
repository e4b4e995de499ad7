"""What a page offers to do with an instance."""

from typing import Any

from config.api.authentication import Principal
from config.api.permissions import ADMIN, OPERATOR
from fleet.instances.models import Instance, Status
from fleet.lifecycle.queries import going_on
from fleet.lifecycle.states import available_actions
from fleet.providers.base import BACKUP, DESTROY, RESUME, SUSPEND

ORDER = (SUSPEND, RESUME, BACKUP, DESTROY)  # the least drastic first
REMOVABLE = (Status.RUNNING, Status.SUSPENDED, Status.ERROR)


def doable(instance: Instance, principal: Principal) -> dict[str, Any]:
    """`actions` that the state, the driver and this person's role allow, and the action that is `going_on`.

    "remove" takes the record away and leaves the machine alone.
    """
    operation, may_bind = going_on(instance), principal.may(ADMIN)
    if operation or not principal.may(OPERATOR, team_id=instance.team_id):
        return {"actions": [], "going_on": operation, "may_bind": may_bind}
    possible = available_actions(instance)
    actions = [name for name in ORDER if name in possible]
    removable = instance.status in REMOVABLE or instance.awaiting_first_contact
    return {"actions": [*actions, "remove"] if removable else actions, "going_on": None, "may_bind": may_bind}
