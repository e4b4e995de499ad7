"""The values of a monitor's parameters for one run: decrypted, and read from the vault where they refer to secrets.

Beside `parameters`, which an agent needs too: this one reads the database.
"""

from dataclasses import dataclass, field
from typing import Any

from monitors.monitors import parameters
from monitors.monitors.parameters import Stored
from security.vault import references
from security.vault.references import Use


@dataclass(frozen=True)
class Opened:
    """`values` are plain, secrets included. `secrets` are the texts that nobody may read in what comes of the run.

    `hidden` names the parameters whose values hold something from the vault, for an agent that masks by name.
    """

    values: dict[str, str] = field(repr=False)
    secrets: list[str] = field(repr=False)
    hidden: list[str] = field(default_factory=list)


def opened(stored: Stored, *, monitor_id: Any) -> Opened:
    """Raises `references.Unusable`, and `security.vault.crypto.Unreadable`."""
    texts = parameters.opened(stored, monitor_id=monitor_id)
    referring = references.texts_in(texts)
    if not referring:
        return Opened(texts, parameters.secrets_in(texts))
    found = references.values_of(referring, use=Use.MONITORS)
    values = references.put_in(texts, found)
    hidden = sorted(name for name, text in texts.items() if references.names_in(text))
    return Opened(values, parameters.secrets_in(values) + parameters.maskable(found.values()), hidden)


def masks_of(stored: Stored, *, monitor_id: Any) -> list[str]:
    """As `Opened.secrets`, after the values were given away: of references all that they have or had, and no error."""
    texts = parameters.opened(stored, monitor_id=monitor_id)
    referring = references.texts_in(texts)
    return parameters.secrets_in(texts) + parameters.maskable(references.masks_of(referring))
