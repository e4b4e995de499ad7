"""A posted or given body becomes a document of entries (contract: signals §4)."""

from collections.abc import Callable, Mapping

import msgspec

from loadtest.signals.scenario.entry import Document

# The text of an uploaded CSV by its name; raises LookupError when there is none.
FileLookup = Callable[[str], str]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Ceilings of one scenario (contract §4.7)."""

    rate: float = 50_000
    series: int = 100_000
    labels: int = 64
    label_bytes: int = 4096


def no_files(name: str) -> str:
    """The lookup of a place that keeps no files."""
    raise LookupError(name)


def parse(
    body: bytes,
    content_type: str | None,
    *,
    environment: Mapping[str, str],
    limits: Limits = Limits(),
    files: FileLookup = no_files,
) -> Document:
    """Read, check and resolve a body.

    `environment` holds only the variables that may be named (§4.8). Raises Shapeless (400) or Unprocessable (422), in
    the order of §4.3: text, shape of all entries, values of all entries.
    """
    raise NotImplementedError
