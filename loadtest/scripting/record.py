"""What a script has told so far. It is on our side at once, so no limit that ends the script can lose it."""

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from loadtest.composing.variables import draw

from .facts import Facts, Outcome, Request

if TYPE_CHECKING:
    from .machine import Machine

_MOST_CHARACTERS = 32 << 20  # of all events of one script together


class Record:
    """Takes the lines of the prelude: JSON arrays of a word and plain values."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._room = _MOST_CHARACTERS
        self._tests: list[dict[str, Any]] = []
        self._legacy: dict[str, dict[str, Any]] = {}
        self._console: list[str] = []
        self._error: str | None = None
        self._local = dict(facts.local)
        self._changes: dict[str, dict[str, str | None]] = {"environment": {}, "collection": {}, "globals": {}}
        self._request: Request | None = None
        self._headers: list[tuple[str, str]] = []

    def take(self, line: str, machine: "Machine | None") -> str | None:
        """Handle one line; the answer goes back to the prelude."""
        self._room -= len(line)
        if self._room < 0 and machine:
            machine.stop("memory")
            return None
        match [_whole(part) for part in json.loads(line)]:
            case ["memory"] if machine:
                machine.stop("memory")
            case ["log", str(text)]:
                self._console.append(text)
            case ["test", str(name), bool(passed), *error]:
                self._tests.append({"name": name, "passed": passed} | ({"error": error[0]} if error else {}))
            case ["legacy", str(name), bool(passed)]:
                self._take_legacy(name, passed)
            case ["error", str(text)]:
                self._error = text
            case ["set", "local", str(name), str(value)]:
                self._local[name] = value
            case ["unset", "local", str(name)]:
                self._local.pop(name, None)
            case ["set", str(scope), str(name), str(value)]:
                self._changes[scope][name] = value
            case ["unset", str(scope), str(name)]:
                self._changes[scope][name] = None
            case ["request", str(method), str(url), str(shape), str(body)]:
                self._request = Request(method, url, (), json.loads(body) if shape == "json" else body)
            case ["header", str(name), str(value)]:
                self._headers.append((name, value))
            case ["dynamic", str(name)]:
                return draw(name)
            case ["sha256", str(text)]:
                return hashlib.sha256(text.encode(errors="replace")).hexdigest()
            case ["hmacSha256", str(text), str(key)]:
                return hmac.new(key.encode(errors="replace"), text.encode(errors="replace"), "sha256").hexdigest()
        return None

    def _take_legacy(self, name: str, passed: bool) -> None:
        """`tests[name] = passed`: a later value replaces the earlier one."""
        if name not in self._legacy:
            self._legacy[name] = {"name": name}
            self._tests.append(self._legacy[name])
        self._legacy[name].pop("error", None)
        self._legacy[name] |= {"passed": passed} | ({} if passed else {"error": "AssertionError: not true"})

    def outcome(self, limit: str | None = None) -> Outcome:
        """All of it; `limit` is the error of a script that was ended."""
        request = self._request
        if request:
            request = Request(request.method, request.url, tuple(self._headers), request.body)
        return Outcome(
            tests=tuple(self._tests),
            console=tuple(self._console),
            error=limit or self._error,
            local=self._local,
            request=None if limit else request,
            **({} if limit else self._changes),
        )


def _whole(part: Any) -> Any:
    """A text without halves of characters, which JavaScript knows and nobody else."""
    return part.encode(errors="replace").decode() if isinstance(part, str) else part
