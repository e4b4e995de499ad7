"""From a posted body to checked entries: what it may name, how large it may be, where its sinks may send."""

import os
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from config.api.errors import ApiError, TooLarge
from config.outbound import OutboundError, Refused, resolve
from loadtest.signals.hosting.child import folder, policy
from loadtest.signals.scenario import sinks
from loadtest.signals.scenario.entry import Document, Entry
from loadtest.signals.scenario.errors import Refused as BadBody
from loadtest.signals.scenario.parsing import document, parse
from loadtest.signals.sinks.direct import below

LOOKUPS_S = 0.6  # for all names of a body together: the answer must come within a second
LARGEST_FILE = 16 << 20


class Unacceptable(ApiError):
    """A body that cannot be run; `line` and `column` count from 1, None where unknown."""

    line: int | None = None
    column: int | None = None


def read(body: bytes, content_type: str | None) -> Document:
    """The document of a body, with a warning for each target on this machine. Raises TooLarge, Unacceptable."""
    document = understood(body, content_type)
    return Document(
        entries=document.entries,
        warnings=[*document.warnings, *checked_targets(document.entries)],
        flat=document.flat,
        scenario_name=document.scenario_name,
    )


def understood(body: bytes, content_type: str | None) -> Document:
    """As `read`, without a look at targets."""
    if len(body) > settings.SIGNALS_MAX_BODY_BYTES:
        raise TooLarge(f"The body is larger than {settings.SIGNALS_MAX_BODY_BYTES} bytes")
    named = {name: os.environ[name] for name in settings.SIGNALS_ENV_ALLOWLIST if name in os.environ}
    try:
        return parse(body, content_type, environment=named, files=_file)
    except BadBody as fault:
        raise _unacceptable(fault.message, fault.status, line=fault.line, column=fault.column) from None


def made(fields: dict[str, Any]) -> Entry:
    """The one entry that these fields make. Raises Unacceptable."""
    try:
        return document(fields, files=_file).entries[0]
    except BadBody as fault:
        raise _unacceptable(fault.message, fault.status) from None


def _unacceptable(text: str, status: int, *, line: int | None = None, column: int | None = None) -> Unacceptable:
    code = "bad_request" if status == 400 else "unprocessable_entity"
    error = Unacceptable(text, status=status, code=code)
    error.line, error.column = line, column
    return error


def _file(name: str) -> str:
    """The text of an uploaded CSV (contract: signals §8.4, §9.3)."""
    try:
        path = below(folder(), name)
        if path.stat().st_size > LARGEST_FILE:
            raise LookupError(name)
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise LookupError(name) from error


def checked_targets(entries: Iterable[Entry]) -> list[str]:
    """Refuse targets that may not be reached, and files elsewhere (422); a warning for each target on this machine."""
    judged: dict[str, bool] = {}
    warnings = []
    for entry in entries:
        if isinstance(entry.sink, sinks.File):
            try:
                below(folder(), entry.sink.path)
            except (ValueError, OSError) as error:
                raise _unacceptable(f"entry '{entry.name}': sink.path: {error}", 422) from None
        host = _host_of(entry.sink)
        if host is None:
            continue
        if host not in judged:
            judged[host] = _is_near(entry, host, timeout_s=LOOKUPS_S / (1 + len(judged)))
        if judged[host]:
            warnings.append(f"entry '{entry.name}': the sink's target {host} is the machine that runs the scenario")
    return warnings


def _host_of(sink: sinks.AnySink) -> str | None:
    match sink:
        case sinks.HttpPush() | sinks.RemoteWrite() | sinks.Loki():
            return urlsplit(sink.url).hostname or ""
        case sinks.Tcp() | sinks.Udp():
            return sinks.host_and_port(sink.address)[0]
    return None


def _is_near(entry: Entry, host: str, *, timeout_s: float) -> bool:
    """Whether the target is on loopback. A name that nobody knows yet is the sink's fault later (contract: §9.4)."""
    try:
        return any(ip_address(str(one)).is_loopback for one in resolve(host, policy=policy(), timeout_s=timeout_s))
    except Refused as error:
        raise _unacceptable(f"entry '{entry.name}': sink: {error}", 422) from None
    except OutboundError:
        return False
