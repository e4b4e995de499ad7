"""Response bodies as text: in their charset, or as base64 when they are not text (contract: load testing §9.2)."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message

_TEXT = ("text/", "application/json", "application/xml", "application/javascript", "application/x-www-form-urlencoded")
_TEXT_ENDS = ("+json", "+xml", "+yaml", "json", "xml", "yaml", "javascript", "graphql")
_BINARY = ("image/", "audio/", "video/", "font/", "application/octet-stream", "application/pdf", "application/zip")
_BINARY_ENDS = ("zip", "gzip", "tar", "protobuf", "msgpack", "cbor", "wasm", "grpc")
_DECODED = ("", "identity", "gzip", "x-gzip", "deflate")


@dataclass(frozen=True)
class Content:
    """`shown` is what an answer carries: `text`, or base64 when `binary`. `text` has replacements where it must."""

    text: str
    binary: bool
    data: bytes

    @property
    def shown(self) -> str:
        return self.base64(len(self.data)) if self.binary else self.text

    def base64(self, most: int) -> str:
        return b64encode(self.data[:most]).decode()


def content_of(data: bytes, headers: Mapping[str, str]) -> Content:
    """The content of a response whose header names are in lower case."""
    described = Message()
    described["content-type"] = headers.get("content-type", "")
    kind, charset = described.get_content_type() if headers.get("content-type") else "", described.get_content_charset()
    text = _decoded(data, charset)
    coded = any(coding.strip() not in _DECODED for coding in headers.get("content-encoding", "").lower().split(","))
    return Content(text, bool(data) and (coded or _is_binary(data, kind, charset)), data)


def _decoded(data: bytes, charset: str | None) -> str:
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(name, errors="replace")
    try:
        return data.decode(charset or "utf-8", errors="replace")
    except LookupError:
        return data.decode(errors="replace")


def _is_binary(data: bytes, kind: str, charset: str | None) -> bool:
    if kind.startswith(_TEXT) or kind.endswith(_TEXT_ENDS):
        return False
    if kind.startswith(_BINARY) or kind.endswith(_BINARY_ENDS):
        return True
    if charset:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return b"\0" in data
