"""What is wrong with a document, as `[{"path": "rules[1].when.direction", "message": …}]`; [] when nothing is.

Checking never alters a document: the caller stores what it was given. Each function takes any JSON value.
"""

from typing import Any

Fault = dict[str, str]


def case_faults(document: Any) -> list[Fault]:
    """A case document (§6.1) without its rules; a caller answers 400 `invalid_body`."""
    raise NotImplementedError


def case_rule_faults(document: Any) -> list[Fault]:
    """The embedded rules of a case; a caller answers 422 `rule_validation_failed`."""
    raise NotImplementedError


def rules_faults(document: Any) -> list[Fault]:
    """A rules document (§6.2, §6.3), an object with `rules`; a caller answers 422."""
    raise NotImplementedError


def policy_faults(document: Any) -> list[Fault]:
    """A policy (§6.4); a caller answers 400."""
    raise NotImplementedError


def fixtures_faults(document: Any) -> list[Fault]:
    """A fixtures object (§6.5); a caller answers 400. Values are never part of a message."""
    raise NotImplementedError


def warnings(document: Any) -> list[Fault]:
    """Advisory sizes of §6.1 that a valid case passes; it is accepted all the same."""
    raise NotImplementedError
