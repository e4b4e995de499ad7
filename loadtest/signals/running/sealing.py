"""The whole entry of a scenario, secrets of its sink included, as the database keeps it."""

import json
from typing import Any

from loadtest.signals.running.models import Scenario
from security.vault.crypto import decrypt, encrypt


def seal(scenario: Scenario, config: dict[str, Any]) -> None:
    scenario.plan = encrypt(json.dumps(config, separators=(",", ":")), context=context_of(scenario))


def opened(scenario: Scenario) -> dict[str, Any]:
    """What `seal` was given; raises security.vault.crypto.Unreadable."""
    return json.loads(decrypt(scenario.plan, context=context_of(scenario)))


def context_of(scenario: Scenario) -> str:
    """The place that a plan is bound to."""
    return f"signals.scenario.plan:{scenario.pk}"
