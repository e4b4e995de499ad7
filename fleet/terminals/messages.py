"""What browsers say on a terminal's socket, and what they are told (contract: fleet console §32.5)."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from config.api.errors import Invalid

INPUT_BYTES = 24 * 1024  # in one frame to the agent: 32 KiB as base64
Columns = Annotated[int, Meta(ge=2, le=1000)]
Rows = Annotated[int, Meta(ge=1, le=500)]


class Data(msgspec.Struct, tag="data", tag_field="type"):
    data: str


class Resize(msgspec.Struct, tag="resize", tag_field="type"):
    cols: Columns
    rows: Rows


class Size(msgspec.Struct):
    """The size of a screen in characters."""

    cols: Columns = 80
    rows: Rows = 24


_decode = msgspec.json.Decoder(Data | Resize).decode
_encode = msgspec.json.Encoder().encode


def read(raw: bytes) -> bytes | Resize:
    """The bytes to type, or the new size. What is neither of the two messages is typed as it is."""
    try:
        asked = _decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return raw
    return asked.data.encode(errors="replace") if isinstance(asked, Data) else asked


def data(text: str) -> str:
    """Output for the browser."""
    return _encode(Data(text)).decode()


def size_of(body: Any) -> Size:
    """The size that a request names, else 80 x 24. Raises Invalid."""
    try:
        return msgspec.convert(body, Size)
    except msgspec.ValidationError as error:
        raise Invalid(f"The size cannot be used: {error}") from None
