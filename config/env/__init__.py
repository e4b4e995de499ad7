"""Every environment variable, its default and its meaning, in one typed class made of a few parts.

`docs/configuration.md` is written from the descriptions here. All faults are told at once.
"""

import base64
import os
import secrets
from collections.abc import Mapping

from pydantic import ValidationError

from config.env.fleet import Fleet
from config.env.retention import Retention
from config.env.security import Security
from config.env.serving import NEW_VAULT_KEY, Serving
from config.env.testing import Testing

NEW_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105 - a command, not a secret


class ConfigurationFault(Exception):
    """The environment does not describe a product that can start; the text lists every fault."""


class Env(Testing, Retention, Fleet, Security, Serving):
    """The environment of one process. The parts' fields come from the last part to the first."""


def make_vault_key() -> str:
    """A new key-encryption key: 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def load() -> Env:
    """Read the environment; raises ConfigurationFault that lists every fault at once."""
    faults = missing_partners(os.environ)
    try:
        env = Env()
    except ValidationError as error:
        faults += [
            f"{variable(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}" for fault in error.errors()
        ]
    if faults:
        raise ConfigurationFault("Pharos cannot start with this environment:\n  " + "\n  ".join(faults))
    return env


def variable(location: tuple[int | str, ...]) -> str:
    """The variable in which a fault lies."""
    name = str(location[0])
    return name if name.isupper() else f"PHAROS_{name.upper()}"


def missing_partners(environ: Mapping[str, str]) -> list[str]:
    """Variables that are set without another one that they need."""
    faults = []
    if environ.get("DATABASE_URL"):
        for name, other, command in (
            ("PHAROS_SECRET_KEY", "", NEW_SECRET),
            ("PHAROS_VAULT_KEY", "SECRET_VAULT_KEY", NEW_VAULT_KEY),
        ):
            if not environ.get(name) and not environ.get(other):
                faults.append(f"{name}: must be set together with DATABASE_URL; make one with: {command}")
    elif environ.get("REDIS_URL"):
        faults.append("REDIS_URL: needs DATABASE_URL, since several processes cannot share one SQLite file well")
    return faults
