"""JSON that is encrypted where it is stored, bound to its row."""

import json
from typing import Any

from security.vault.crypto import decrypt, encrypt


class SealedJson:
    """`variables = SealedJson()` on a model keeps an object in its text column `sealed_variables`; empty means `{}`.

    Each read decrypts and each assignment encrypts anew, with the row's key as context: a token that was moved to
    another row or column does not open.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name, self._column = name, f"sealed_{name}"

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        token = getattr(row, self._column)
        return json.loads(decrypt(token, context=self.context_of(row))) if token else {}

    def __set__(self, row: Any, value: dict[str, Any]) -> None:
        token = encrypt(json.dumps(value), context=self.context_of(row)) if value else ""
        setattr(row, self._column, token)

    def context_of(self, row: Any) -> str:
        """The place that the token of a row is bound to."""
        return f"loadtest.{type(row).__name__.lower()}.{self._name}:{row.pk}"
