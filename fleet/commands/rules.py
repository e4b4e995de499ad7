"""Which commands a second person must agree to."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from django.conf import settings

from config.api.permissions import DEVELOPER, OPERATOR
from fleet.commands.models import Batch
from fleet.commands.specs import Spec
from fleet.instances.models import Instance

SCRIPT, BULK, ALL = "script", "bulk", "all"


def needing_approval(spec: Spec, *, targets: int) -> str:
    """The word of `PHAROS_COMMANDS_NEED_APPROVAL` that asks for a second person; empty when none does.

    `script` means every script, `bulk` more than one instance, `all` everything. Any other word is a pattern for the
    command's name or path, or for the whole line. A shell can start anything: who relies on patterns names it too.
    """
    name = PurePosixPath(spec.command).name
    line = " ".join([name, *spec.args])
    for word in settings.COMMANDS_NEED_APPROVAL:
        if (
            word == ALL
            or (word == SCRIPT and spec.script is not None)
            or (word == BULK and targets > 1)
            or any(fnmatchcase(text, word) for text in (spec.command, name, line))
        ):
            return word[:200]
    return ""


def may_still(batch: Batch, instances: Sequence[Instance]) -> bool:
    """Whether the one who asked may run it now, too."""
    user = batch.user
    if user is None or not user.is_active:
        return False
    principal, role = user.principal(), DEVELOPER if len(instances) == 1 or batch.has_script else OPERATOR
    return all(principal.may(role, team_id=instance.team_id) for instance in instances)
