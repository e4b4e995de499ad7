"""Values in the blocks `env` and `secrets` of a configuration that are read from the vault by reference.

The driver's program finds such a value in its environment under the variable's name; the file it gets says `${NAME}`.
"""

import re
from collections.abc import Callable
from typing import Any

from config.api.authentication import Principal
from config.api.errors import Invalid
from fleet.deployments.configuration import parsed, written
from fleet.instances.models import Instance
from security.vault import references
from security.vault.references import Use

BLOCKS = ("env", "secrets")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
# Names that would steer the driver's program on this machine instead of reaching the deployment.
_STEERING = re.compile(
    r"PATH|HOME|SHELL|ENV|IFS|TMPDIR|LANG|BASH_ENV|NODE_OPTIONS|NODE_PATH|JAVA_TOOL_OPTIONS|GODEBUG|(?i:.*_PROXY)"
    r"|(LC_|LD_|DYLD_|BASH_FUNC|PYTHON|PERL|RUBY|GIT_|SSL_CERT_).*"
)

Seen = Callable[[str, str], str]  # (name, text with a reference) -> what to write in its place


def check(text: str, *, instance: Instance, principal: Principal | None) -> None:
    """Before a configuration is saved: what it refers to can be used. Raises Invalid, Forbidden."""
    if not references.texts_in(told := parsed(text)):
        return
    _, fault = _taken(told)
    if fault:
        raise Invalid("The configuration refers to a secret that it cannot get", details={"config": [fault]})
    references.check({"config": told}, use=Use.DEPLOYMENTS, principal=principal, instance=instance)


def filled(text: str, *, instance: Instance) -> tuple[str, dict[str, str]]:
    """The configuration as the driver gets it, and its environment. Raises `references.Unusable`."""
    if not references.names_in(text):
        return text, {}
    told = parsed(text)
    found, fault = _taken(told)
    if fault:
        raise references.Unusable(fault.rstrip("."))
    bare = _replaced(told, lambda name, text: f"${{{name}}}")
    return written(bare), references.filled(found, use=Use.DEPLOYMENTS, instance=instance)


def _taken(told: dict[str, Any]) -> tuple[dict[str, str], str]:
    """The variables that refer to secrets, and what is wrong with them ("" when nothing is)."""
    found: dict[str, str] = {}

    def take(name: str, text: str) -> str:
        found[name] = text
        return ""

    if references.texts_in(_replaced(told, take)):
        return found, "A secret is named in a value of env or secrets and nowhere else."
    for name in found:
        if not _NAME.fullmatch(name) or _STEERING.fullmatch(name):
            return found, f"A variable called '{name[:100]}' cannot take its value from a secret."
    return found, ""


def _replaced(told: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """The configuration with each referring value of the two blocks replaced by what `seen` gives."""
    return told | {block: _in_block(told[block], seen) for block in BLOCKS if block in told}


def _in_block(block: Any, seen: Seen) -> Any:
    """A block is a mapping, or a list of `NAME=value`, `{name: NAME, value: …}` or `{NAME: value}`."""
    if isinstance(block, list):
        return [_in_entry(entry, seen) for entry in block]
    return _in_mapping(block, seen) if isinstance(block, dict) else block


def _in_entry(entry: Any, seen: Seen) -> Any:
    if isinstance(entry, str) and references.names_in(entry):
        name, sign, value = entry.partition("=")
        return f"{name}={seen(name, value)}" if sign else entry
    if isinstance(entry, dict) and "name" in entry:
        given = entry.get("value")
        if isinstance(given, str) and references.names_in(given):
            return entry | {"value": seen(str(entry["name"]), given)}
        return entry
    return _in_mapping(entry, seen) if isinstance(entry, dict) else entry


def _in_mapping(variables: dict[Any, Any], seen: Seen) -> dict[Any, Any]:
    return {
        name: seen(str(name), value) if isinstance(value, str) and references.names_in(value) else value
        for name, value in variables.items()
    }
