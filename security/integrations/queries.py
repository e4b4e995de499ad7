"""Which integrations are configured (contract: fleet console §28). Values are looked at and never told."""

import os
from dataclasses import dataclass

from security.integrations.known import INTEGRATIONS, Integration
from security.vault.models import Secret, SecretType


@dataclass(frozen=True)
class State:
    """An integration and whether it can be used; `missing` are the variables that are not set."""

    integration: Integration
    missing: tuple[str, ...]
    in_vault: bool

    @property
    def configured(self) -> bool:
        return not self.missing or self.in_vault


def states() -> list[State]:
    """All integrations, with one query."""
    names = [one.vault_name for one in INTEGRATIONS.values() if one.vault_name]
    kept = Secret.objects.filter(instance=None, type=SecretType.API_KEY, name__in=names)
    in_vault = set(kept.values_list("name", flat=True))
    return [
        State(
            one,
            missing=tuple(name for name in one.variables if not os.environ.get(name, "").strip()),
            in_vault=one.vault_name in in_vault,
        )
        for one in INTEGRATIONS.values()
    ]
