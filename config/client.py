"""The HTTP client of our own commands: where the server is, who calls, and what went wrong in words and exit codes.

Knows no app and no Django, so that commands start fast and agents can use it (user experience §9).
"""

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from config.version import VERSION

FINE, FAILED, WRONG_USE, NOT_ALLOWED, NOT_FOUND, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 30.0
_CODES = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NOT_FOUND, 400: WRONG_USE, 413: WRONG_USE, 422: WRONG_USE}


class ClientError(Exception):
    """A call that did not work: one sentence, the exit code that goes with it, and the status (None: no answer)."""

    def __init__(self, sentence: str, *, exit_code: int, status: int | None = None) -> None:
        super().__init__(sentence)
        self.exit_code, self.status = exit_code, status


@dataclass(frozen=True)
class Place:
    """Where the server is, and the key to it."""

    url: str
    key: str = field(repr=False)


def settings_file(environ: Mapping[str, str]) -> Path:
    """Where a person keeps `url = "…"` and `api_key = "…"`."""
    folder = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".config")
    return Path(folder) / "pharos" / "client.toml"


def find_place(
    *,
    url: str | None = None,
    key_file: str | None = None,
    environ: Mapping[str, str] | None = None,
    needs_key: bool = True,
) -> Place:
    """From flags, then PHAROS_URL and PHAROS_API_KEY, then the settings file. Raises ClientError without a key."""
    environ = os.environ if environ is None else environ
    kept = _kept(settings_file(environ))
    key = _key_in(key_file) if key_file else environ.get("PHAROS_API_KEY") or kept.get("api_key")
    if not key and needs_key:
        sentence = f"No API key. Set PHAROS_API_KEY, or put api_key into {settings_file(environ)}."
        raise ClientError(sentence, exit_code=WRONG_USE)
    return Place(checked_url(url or environ.get("PHAROS_URL") or kept.get("url") or DEFAULT_URL), key or "")


def checked_url(url: str) -> str:
    """The address of a server without a trailing slash; raises ClientError for what is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ClientError(f"'{url[:200]}' is no address of a server, like https://…", exit_code=WRONG_USE)
    return url.rstrip("/")


def _kept(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    if "api_key" in text and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        raise ClientError(f"Others can read the key in {path}. Run: chmod 600 {path}", exit_code=WRONG_USE)
    try:
        return {name: value for name, value in tomllib.loads(text).items() if isinstance(value, str)}
    except tomllib.TOMLDecodeError as fault:
        raise ClientError(f"{path} cannot be read: {fault}", exit_code=WRONG_USE) from None


def _key_in(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise ClientError(f"The key cannot be read: {fault}", exit_code=WRONG_USE) from None


class Client:
    """Calls one server. Connections are kept; use one client in one thread."""

    def __init__(self, place: Place, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url, self._timeout_s = place.url, timeout_s
        self._session = requests.Session()
        self._session.headers.update({"Authorization": f"Bearer {place.key}", "User-Agent": f"pharos/{VERSION}"})

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None, **params: Any) -> Any:
        return self.call("POST", path, json={} if body is None else body, params=params)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The decoded answer: JSON, else text, None without a body. Raises ClientError."""
        try:
            answer = self._session.request(
                method, self.url + path, timeout=self._timeout_s, allow_redirects=False, **options
            )
        except requests.RequestException as fault:
            raise ClientError(f"{self.url} cannot be reached: {_reason(fault)}", exit_code=UNREACHABLE) from None
        if answer.status_code >= 300:
            raise _refused(answer)
        if answer.status_code == 204 or not answer.content:
            return None
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        try:
            return answer.json() if is_json else answer.content.decode("utf-8", "replace")
        except ValueError:
            raise ClientError(f"{self.url} answered something that is no JSON.", exit_code=UNREACHABLE) from None


def _refused(answer: requests.Response) -> ClientError:
    status = answer.status_code
    if status < 400:
        sentence = f"The server sends us on to {answer.headers.get('Location', '?')[:200]}: use that address."
        return ClientError(sentence, exit_code=WRONG_USE, status=status)
    try:
        body = answer.json()
    except ValueError:
        body = None
    said = (body.get("message") or body.get("error")) if isinstance(body, dict) else None
    details = body.get("details") if isinstance(body, dict) else None
    sentence = said if isinstance(said, str) else f"The server answered {status}."
    if isinstance(details, dict):
        sentence += "".join(f"\n  {name}: {' '.join(map(str, texts))}" for name, texts in details.items())
    code = UNREACHABLE if status >= 500 else _CODES.get(status, FAILED)
    return ClientError(sentence, exit_code=code, status=status)


def _reason(fault: requests.RequestException) -> str:
    if isinstance(fault, requests.Timeout):
        return "it does not answer in time"
    if isinstance(fault, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    return "no connection"
