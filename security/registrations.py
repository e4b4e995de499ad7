"""What this app puts into the hands of other rooms, which do not know it."""

from fleet.agents import installed
from fleet.instances import beside
from fleet.instances.models import Instance
from fleet.providers import identity
from security.audit import links
from security.bom.reports import packages_told
from security.bom.services import on_change
from security.second_factor.models import CodeGenerator
from security.ssh_keys import server_key, sightings
from security.ssh_keys.models import ServerKey
from security.vault import columns
from security.vault.models import Secret, SecretVersion
from security.vulnerabilities.services import match_later


def register() -> None:
    """Called once, when the app is ready."""
    installed.keep(packages_told)
    installed.keep(sightings.told)
    on_change(match_later)
    links.register(
        secret=("security.Secret", "ui:secret"),
        team=("security.Team", "ui:settings-team"),
        user=("security.User", "ui:settings-user"),
    )
    beside.tell_fact(secrets_of)
    columns.register(SecretVersion, "sealed_value", lambda version: version.context)
    columns.register(CodeGenerator, "sealed_secret")
    columns.register(ServerKey, "sealed_private_key")
    identity.register(identity.Keeper(server_key.exists, server_key.private_key))


def secrets_of(instance: Instance) -> beside.Fact:
    """How many secrets of the vault are the instance's own."""
    count = Secret.objects.filter(instance=instance).count()
    return beside.Fact("Secrets", f"{count} of its own" if count else "none of its own", page="ui:instance-secrets")
