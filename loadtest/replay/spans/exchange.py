"""One HTTP exchange as a span tells it, or a question about one (contract: traffic replay §6.1)."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Header = tuple[str, str]  # lower-case name, value; a name may come more than once
UNREADABLE: Any = object()  # the body is not JSON


@dataclass(frozen=True)
class Body:
    """Text, or base64 of bytes when `encoding` is "base64" (attribute `sp.http.*.body.encoding`)."""

    text: str
    encoding: Literal["", "base64"] = ""
    truncated: bool = False

    @classmethod
    def of(cls, content: bytes) -> "Body | None":
        """Text where the bytes are UTF-8 without NUL, base64 otherwise; None for no bytes."""
        if not content:
            return None
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return cls(base64.b64encode(content).decode(), "base64")
        return cls(base64.b64encode(content).decode(), "base64") if "\x00" in text else cls(text)

    @cached_property
    def content(self) -> bytes:
        """The bytes of the body. What says base64 and is none stays as it is written."""
        if self.encoding == "base64":
            try:
                return base64.b64decode(self.text, validate=True)
            except (binascii.Error, ValueError):
                pass
        return self.text.encode(errors="surrogatepass")

    @cached_property
    def value(self) -> Any:
        """The body as JSON, UNREADABLE when it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return UNREADABLE


@dataclass(frozen=True)
class Response:
    """An answer to a caller: captured, or written in a rule. Header names may repeat (set-cookie)."""

    status: int
    headers: tuple[Header, ...] = ()
    body: Body | None = None


@dataclass(frozen=True)
class Exchange:
    """A request, and its response when one is known. Texts are "" where the span is silent.

    `authority` is the host as written, with its port; `target` is the path as written, with its query. `tags` are the
    attributes of the span over those of its resource, as plain values. `kind` is `sp.span.type`.
    """

    kind: str = ""
    session_id: str = ""
    direction: str = ""
    service: str = ""
    method: str = ""
    authority: str = ""
    target: str = ""
    headers: tuple[Header, ...] = ()
    body: Body | None = None
    response: Response | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    scheme: str = ""
    trace_id: str = ""
    span_id: str = ""
    started_ns: int = 0
    ended_ns: int = 0

    @cached_property
    def host(self) -> str:
        """The host name for comparing: lower case, without port, user or the dot at its end."""
        return host_name(self.authority)

    @cached_property
    def path(self) -> str:
        """The path without its query."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def body_bytes(self) -> bytes:
        return self.body.content if self.body else b""

    @cached_property
    def header_values(self) -> dict[str, str]:
        """Request headers by lower-case name; what comes more than once is joined by a comma."""
        found: dict[str, str] = {}
        for name, value in self.headers:
            found[name] = f"{found[name]}, {value}" if name in found else value
        return found


def host_name(authority: str) -> str:
    """The host of an authority in lower case without its port, user or last dot; IPv6 without brackets."""
    name, _ = split_authority(authority)
    return name.removesuffix(".")


def split_authority(authority: str) -> tuple[str, str]:
    """Host (lower case, IPv6 without brackets) and port ("" without one)."""
    text = authority.strip().lower().rpartition("@")[2]
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
        return name, rest.removeprefix(":")
    if text.count(":") > 1:
        return text, ""  # an IPv6 address without brackets
    name, _, port = text.partition(":")
    return name, port
