"""Keep secrets out of a stream of text, also when one arrives in pieces."""

import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from monitors.monitors.parameters import MASK


class Masker:
    """`feed` gives back what can be shown already; what may be the start of a secret waits for the next piece.

    A secret is also found in the forms in which tools print it: as JSON, and in an address.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._held = ""

    def feed(self, text: str) -> str:
        if not self._forms:
            return text
        text = self.masked(self._held + text)
        keep = self._start_of_a_secret(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        held, self._held = self._held, ""
        return held

    def masked(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def _start_of_a_secret(self, text: str) -> int:
        """The length of the longest end of the text that is the beginning of a secret."""
        for length in range(min(len(text), len(self._forms[0]) - 1), 0, -1):
            end = text[-length:]
            if any(len(form) > length and form.startswith(end) for form in self._forms):
                return length
        return 0


def _forms(secret: str) -> set[str]:
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
    }
