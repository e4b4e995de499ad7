"""Parameters of a monitor: names, secrets at rest, masks (contract: monitors §3, §8.1)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from security.vault.crypto import decrypt, encrypt
from security.vault.syntax import SHORTEST_HIDDEN, is_reference

MASK = "********"
MOST = 100
MOST_BYTES = 8 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Names that would steer the tool or the process instead of reaching the script. Only proxies have effect in any case.
_RESERVED = re.compile(
    r"PATH|HOME|TMPDIR|LANG|USER|SHELL|IFS|(?i:.*_PROXY)"
    r"|(PYTHON|LD_|DYLD_|JAVA_|JVM_|JMETER_|K6_|LOCUST_|SSL_|NODE_|GO).*"
)
_SECRET = re.compile(r"PASS|SECRET|TOKEN|KEY|CRED", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")

Stored = Mapping[str, Any]  # name -> text, or {"secret": token}


def fault_of_name(name: str) -> str | None:
    """Why a parameter may not have this name; None when it may."""
    if not _NAME.fullmatch(name):
        return "A name has 1 to 64 letters, digits or underscores and does not start with a digit."
    if _RESERVED.fullmatch(name):
        return f"The name {name} is reserved."
    return None


def is_secret(name: str) -> bool:
    return bool(_SECRET.search(name))


def merged(stored: Stored, changes: Mapping[str, str | None], *, monitor_id: Any) -> dict[str, Any]:
    """The parameters to store after `changes`: None removes one, the mask keeps the old value of a secret.

    A reference to a secret of the vault is no secret itself, so it is stored as it is written, whatever the name.
    Raises KeyError with the name of a secret whose mask was sent although no value is stored.
    """
    result = dict(stored)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif is_secret(name) and value == MASK:
            if name not in stored:
                raise KeyError(name)
        elif is_secret(name) and not is_reference(value):
            result[name] = {"secret": encrypt(value, context=context_of(monitor_id, name))}
        else:
            result[name] = value
    return result


def masked(stored: Stored) -> dict[str, str]:
    """What may be shown: secrets as a mask, references as they are."""
    return {name: MASK if _hides(name, value) else value for name, value in stored.items()}


def _hides(name: str, value: Any) -> bool:
    return isinstance(value, dict) or (is_secret(name) and not is_reference(value))


def opened(stored: Stored, *, monitor_id: Any) -> dict[str, str]:
    """The plain values, references not followed yet (see `opening`). Raises `security.vault.crypto.Unreadable`."""
    return {
        name: decrypt(value["secret"], context=context_of(monitor_id, name)) if isinstance(value, dict) else value
        for name, value in stored.items()
    }


def secrets_in(values: Mapping[str, str]) -> list[str]:
    """The plain values that a log must not show: those of secret parameters with four characters or more."""
    return maskable(value for name, value in values.items() if is_secret(name))


def maskable(values: Iterable[str]) -> list[str]:
    """Those of the values that are long enough to be masked."""
    return [value for value in values if len(value) >= SHORTEST_HIDDEN]


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """The text with each `${NAME}` replaced; raises KeyError with the name of an unknown parameter."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def names_used(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def context_of(monitor_id: Any, name: str) -> str:
    """The place that a secret parameter is bound to."""
    return f"monitors.parameter:{monitor_id}:{name}"
