"""Compressed bodies, unfolded up to a limit: a small body may say that it is a very large one."""

import zlib

import cramjam

from config.api.errors import Malformed, TooLarge

MOST_BYTES = 8 << 20  # as sent
MOST_PLAIN_BYTES = 32 << 20  # unfolded
GZIP = 16 + zlib.MAX_WBITS


class UnknownEncoding(Malformed):
    """A body in a compression or type that this door does not take."""

    status = 415


def unfolded(body: bytes, encoding: str, *, limit: int = MOST_PLAIN_BYTES) -> bytes:
    """The body without its Content-Encoding: "", identity or gzip. Raises UnknownEncoding, Malformed, TooLarge."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip":
            return _gzip(body, limit)
        case _:
            raise UnknownEncoding("Content-Encoding must be gzip or none")


def _gzip(body: bytes, limit: int) -> bytes:
    reader = zlib.decompressobj(GZIP)
    try:
        plain = reader.decompress(body, limit + 1)
    except zlib.error:
        raise Malformed("The body is not valid gzip") from None
    if len(plain) > limit:
        raise _too_large(limit)
    if not reader.eof:
        raise Malformed("The body is cut off: its gzip stream does not end")
    return plain


def from_snappy(body: bytes, *, limit: int = MOST_PLAIN_BYTES) -> bytes:
    """A body in the block format of Snappy, which begins with the length of what is in it."""
    try:
        if cramjam.snappy.decompress_raw_len(body) > limit:
            raise _too_large(limit)
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        raise Malformed("The body is not valid Snappy (block format)") from None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes when it is unfolded")
