"""What this app puts into the hands of other rooms, which do not know it."""

from security.second_factor.models import CodeGenerator
from security.ssh_keys.models import ServerKey
from security.vault import columns
from security.vault.models import SecretVersion


def register() -> None:
    """Called once, when the app is ready."""
    columns.register(SecretVersion, "sealed_value", lambda version: version.context)
    columns.register(CodeGenerator, "sealed_secret")
    columns.register(ServerKey, "sealed_private_key")
