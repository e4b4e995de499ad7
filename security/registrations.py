"""What this app puts into the hands of other rooms, which do not know it."""

from fleet.agents import installed
from security.bom.reports import packages_told
from security.bom.services import on_change
from security.second_factor.models import CodeGenerator
from security.ssh_keys import sightings
from security.ssh_keys.models import ServerKey
from security.vault import columns
from security.vault.models import SecretVersion
from security.vulnerabilities.services import match_later


def register() -> None:
    """Called once, when the app is ready."""
    installed.keep(packages_told)
    installed.keep(sightings.told)
    on_change(match_later)
    columns.register(SecretVersion, "sealed_value", lambda version: version.context)
    columns.register(CodeGenerator, "sealed_secret")
    columns.register(ServerKey, "sealed_private_key")
