"""The session that a gateway makes for itself at start, and closes at the end."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.client import NOT_ALLOWED, UNREACHABLE, WRONG_USE, Client, ClientError, Place

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
STRICT = {"externalHttp": "strict", "defaultOnMiss": "error"}
FROM_THE_CASE = {
    "version": 1,
    "rules": [{"name": "from the case", "when": {"direction": "outbound"}, "then": {"action": "replay"}}],
}


@dataclass(frozen=True)
class Bound:
    """The session that all traffic belongs to which names no other. `mode` is "" where it may not be asked for."""

    session: str
    mode: str
    made_here: bool


def base_url(url: str) -> str:
    """Where the API is: below `/api/replay`, unless the address names a path itself."""
    return url if urlsplit(url).path.strip("/") else f"{url}/api/replay"


class Sessions:
    """Makes, looks up and ends sessions over the control endpoints (contract §5). Raises ClientError."""

    def __init__(self, url: str, key: str) -> None:
        self._client = Client(Place(base_url(url), key))

    def check(self) -> None:
        """Ask for the versions: tells a wrong address or key before any traffic flows."""
        self._client.get("/v1/meta")

    def capture(self) -> Bound:
        made = self._client.post("/v1/sessions", {"mode": "capture"})
        return Bound(_told(made, "sessionId"), "capture", made_here=True)

    def replay(self, case: str) -> Bound:
        """A strict session that answers outbound calls from a case: a file, or the id of a capture."""
        document = self._case(case)
        session = _told(self._client.post("/v1/sessions", {"mode": "replay", "policy": STRICT}), "sessionId")
        try:
            self._client.post(f"/v1/sessions/{session}/load-case", document)
            self._client.post(f"/v1/sessions/{session}/rules", FROM_THE_CASE)
        except ClientError:
            self._client.post(f"/v1/sessions/{session}/close")
            raise
        return Bound(session, "replay", made_here=True)

    def existing(self, session: str) -> Bound:
        """A session made elsewhere; a gateway's key may use it without being allowed to look at it."""
        _checked(session)
        try:
            return Bound(session, _told(self._client.get(f"/v1/sessions/{session}"), "mode"), made_here=False)
        except ClientError as fault:
            if fault.exit_code == NOT_ALLOWED:
                return Bound(session, "", made_here=False)
            raise

    def end(self, bound: Bound, out: str = "") -> str:
        """Close a session that was made here; what came of it, in words. A capture is written to the file `out`."""
        answer = self._client.post(f"/v1/sessions/{bound.session}/close")
        if bound.mode != "capture":
            return f"Session {bound.session} is closed."
        traces = _told(answer, "traceCount")
        sentence = f"Captured {traces} {'trace' if traces == 1 else 'traces'}: {_told(answer, 'casePath')}"
        if not out:
            return f"{sentence}\nReplay it with: pharos gateway --replay-case {bound.session} …"
        case = self._client.get(f"/v1/captures/{bound.session}")
        try:
            Path(out).write_text(json.dumps(case), encoding="utf-8")
        except OSError as fault:
            raise ClientError(f"The case cannot be written: {fault}", exit_code=WRONG_USE) from None
        return f"{sentence}\nWritten to {out}. Replay it with: pharos gateway --replay-case {out} …"

    def _case(self, case: str) -> Any:
        path = Path(case)
        if not path.is_file():
            if path.suffix or not _ID.fullmatch(case):
                raise ClientError(f"There is no case file {case}.", exit_code=WRONG_USE)
            return self._client.get(f"/v1/captures/{case}")
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as fault:
            raise ClientError(f"{case} is no case file: {fault}", exit_code=WRONG_USE) from None


def _told(answer: Any, name: str) -> Any:
    """A value of an answer. Whatever else answers at a wrong address has none."""
    if not isinstance(answer, dict) or name not in answer:
        raise ClientError(f"The server answered without {name}: is this the address of Pharos?", exit_code=UNREACHABLE)
    return answer[name]


def _checked(session: str) -> None:
    if not _ID.fullmatch(session):
        raise ClientError("A session's id has letters, digits, - and _ only.", exit_code=WRONG_USE)
