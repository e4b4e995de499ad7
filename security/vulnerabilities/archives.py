"""Files of advisories, read one entry at a time: ZIP archives as osv.dev offers them, JSON files, folders of both.

Nothing is ever written to a path that an archive names, and no entry is unfolded beyond its limit.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

MOST_ENTRY = 8 * 2**20  # bytes of one entry
MOST_TOTAL = 32 * 2**30  # bytes of all entries of an archive
MOST_DIRECTORY = 64 * 2**20  # bytes of the list of entries; a million of them
MOST_RATIO, RATIO_FROM = 200, 2**20  # unfolded to packed, of entries from so many bytes on
ENCRYPTED = 0x1
END, END_64, LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"


class Refused(Exception):
    """The file is not taken at all; the text says why."""


class Entry(NamedTuple):
    """A document, or why it cannot be read."""

    name: str
    data: bytes
    fault: str = ""


class Source(NamedTuple):
    """Some entries that are imported together: an archive, or JSON files."""

    name: str
    files: list[Path]
    packed: bool = False


def sources(path: Path) -> list[Source]:
    """What there is to import at this path. Raises Refused."""
    if path.is_file():
        with path.open("rb") as file:
            packed = file.read(4)[:2] == b"PK"
        return [Source(path.name, [path], packed)]
    if not path.is_dir():
        raise Refused("There is no such file or folder")
    files = sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
    plain = [one for one in files if one.suffix.lower() == ".json"]
    found = [Source(one.name, [one], True) for one in files if one.suffix.lower() == ".zip"]
    if plain:
        found.append(Source(path.name, plain))
    if not found:
        raise Refused("The folder has neither JSON files nor ZIP archives")
    return found


def entries(source: Source) -> Iterator[tuple[int, Entry]]:
    """Each entry with how many there are in all. Raises Refused before the first one."""
    if source.packed:
        yield from _packed(source.files[0])
        return
    for path in source.files:
        if path.stat().st_size > MOST_ENTRY:
            yield len(source.files), Entry(path.name, b"", "is larger than 8 MiB")
        else:
            yield len(source.files), Entry(path.name, path.read_bytes())


def digest(source: Source) -> str:
    """The same for the same content."""
    seal = hashlib.sha256()
    for path in source.files:
        with path.open("rb") as file:
            seal.update(hashlib.file_digest(file, "sha256").digest())
    return seal.hexdigest()


def _packed(path: Path) -> Iterator[tuple[int, Entry]]:
    _check_directory(path)
    try:
        archive = ZipFile(path)
    except (BadZipFile, ValueError, NotImplementedError, struct.error, UnicodeDecodeError) as fault:
        raise Refused(f"This is no complete ZIP archive: {fault}") from None
    with archive:
        listed = [one for one in archive.infolist() if not one.is_dir()]
        if sum(one.file_size for one in listed) > MOST_TOTAL:
            raise Refused(f"The archive unfolds to more than {MOST_TOTAL // 2**30} GiB")
        for info in listed:
            why = _suspicion(info)
            yield len(listed), Entry(info.filename, b"", why) if why else _unfolded(archive, info)


def _check_directory(path: Path) -> None:
    """Refuse a list of entries that would not fit into memory, before anything reads it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 2**16 - 22))
        tail = file.read()
        at = tail.rfind(END)
        if at < 0 or len(tail) < at + 22:
            raise Refused("This is no complete ZIP archive: its end is missing")
        length = int.from_bytes(tail[at + 12 : at + 16], "little")
        if at >= 20 and tail[at - 20 : at - 16] == LOCATOR_64:
            file.seek(min(size, int.from_bytes(tail[at - 12 : at - 4], "little")))
            large = file.read(56)
            if large[:4] == END_64:
                length = int.from_bytes(large[40:48], "little")
    if length > MOST_DIRECTORY:
        raise Refused(f"The archive's list of entries is larger than {MOST_DIRECTORY // 2**20} MiB")


def _suspicion(info: ZipInfo) -> str:
    if not info.filename.lower().endswith(".json"):
        return "is no JSON file"
    if info.flag_bits & ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "is packed in a way that no archive of advisories is"
    if info.file_size > MOST_ENTRY:
        return "is larger than 8 MiB"
    if info.file_size > RATIO_FROM and info.file_size > MOST_RATIO * max(1, info.compress_size):
        return f"unfolds to more than {MOST_RATIO} times its size"
    return ""


def _unfolded(archive: ZipFile, info: ZipInfo) -> Entry:
    try:
        with archive.open(info) as file:
            data = file.read(MOST_ENTRY + 1)
    except (BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as fault:
        return Entry(info.filename, b"", f"is damaged: {str(fault)[:100]}")
    return Entry(info.filename, data, "is larger than 8 MiB" if len(data) > MOST_ENTRY else "")
