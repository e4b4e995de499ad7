"""Programs that carry a list of what they were built from: those of Go, and of Rust built with cargo-auditable."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from pharos_agent.installed.reading import Found

GO_SECTION, RUST_SECTION = b".go.buildinfo", b".dep-v0"
GO_MAGIC = b"\xff Go buildinf:"
MOST_SECTION_BYTES = 4 * 1024 * 1024
MOST_LIST_BYTES = 8 * 1024 * 1024
MOST_SECTIONS = 1000
MARK = 16  # bytes around the list of modules
PLACES = ("usr/local/bin", "usr/local/sbin", "opt/*/bin", "root/go/bin", "home/*/go/bin", "root/.cargo/bin")
MOST_PROGRAMS = 2000


def binaries(root: Path, running: Iterable[Path], found: Found) -> None:
    """What the programs that run, and those in the usual places, say of themselves."""
    programs = dict.fromkeys(running)
    for place in PLACES:
        for folder in sorted(root.glob(place)):
            try:
                programs.update(dict.fromkeys(sorted(folder.iterdir())))
            except OSError:
                continue  # a home that is not for us
    seen = set()
    for program in list(programs)[:MOST_PROGRAMS]:
        found.check_time()
        try:
            if (real := program.resolve()) in seen or not real.is_file():
                continue
            seen.add(real)
            with real.open("rb") as file:
                sections = _sections(file)
        except (OSError, RuntimeError, struct.error):
            continue  # no program of this kind, or not for us
        if GO_SECTION in sections:
            _go(sections[GO_SECTION], str(program), found)
        if RUST_SECTION in sections:
            _rust(sections[RUST_SECTION], str(program), found)


def _sections(file: BinaryIO) -> dict[bytes, bytes]:
    """The two sections of an ELF file, as far as it has them. Raises struct.error for a file that ends too soon."""
    head = file.read(64)
    if head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return {}
    order, wide = "<" if head[5] == 1 else ">", head[4] == 2
    offset = struct.unpack_from(order + ("Q" if wide else "I"), head, 40 if wide else 32)[0]
    size, count, names_at = struct.unpack_from(order + "HHH", head, 58 if wide else 46)
    if not offset or not 0 < count <= MOST_SECTIONS or names_at >= count or size < (64 if wide else 40):
        return {}
    table = _at(file, offset, size * count)
    rows = [_row(table, number * size, order, wide) for number in range(count)]
    names = _at(file, rows[names_at][1], min(rows[names_at][2], MOST_SECTION_BYTES))
    found = {}
    for name_at, start, length in rows:
        name = names[name_at : name_at + 32].partition(b"\0")[0]
        if name in (GO_SECTION, RUST_SECTION):
            found[name] = _at(file, start, min(length, MOST_SECTION_BYTES))
    return found


def _row(table: bytes, at: int, order: str, wide: bool) -> tuple[int, int, int]:
    """Where a section's name stands among the names, where it begins, and how long it is."""
    name = struct.unpack_from(order + "I", table, at)[0]
    start, length = struct.unpack_from(order + ("QQ" if wide else "II"), table, at + (24 if wide else 16))
    return name, start, length


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    if offset >= 1 << 63:
        raise struct.error("beyond every file")
    file.seek(offset)
    return file.read(length)


def _go(section: bytes, program: str, found: Found) -> None:
    """https://pkg.go.dev/debug/buildinfo: flag 2 says that both texts stand right here."""
    if not section.startswith(GO_MAGIC) or len(section) < 33:
        return
    if not section[15] & 2:
        found.note(f"go: {program} was built with Go before 1.18: its modules are not listed")
        return
    version, rest = _text(section[32:])
    modules, _ = _text(rest)
    if version.startswith(b"go1"):
        found.add("Go", "stdlib", version[2:].split()[0].decode("utf-8", "replace"))
    last: tuple[str, str] | None = None
    for line in modules[MARK:-MARK].decode("utf-8", "replace").splitlines():
        kind, *words = line.split("\t")
        if kind in ("mod", "dep", "=>") and len(words) >= 2:
            if kind == "=>":  # another module stands in for the last one
                last = None
            _module(last, found)
            last = (words[0], words[1])
    _module(last, found)


def _module(module: tuple[str, str] | None, found: Found) -> None:
    if module and module[1].startswith("v"):  # else built from a work tree: "(devel)"
        found.add("Go", module[0], module[1][1:])


def _text(data: bytes) -> tuple[bytes, bytes]:
    """A text with its length before it, and what follows."""
    length, shift = 0, 0
    for at, byte in enumerate(data[:10]):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return data[at + 1 : at + 1 + length], data[at + 1 + length :]
    return b"", b""


def _rust(section: bytes, program: str, found: Found) -> None:
    """https://github.com/rust-secure-code/cargo-auditable: packed JSON."""
    try:
        said = json.loads(zlib.decompressobj().decompress(section, MOST_LIST_BYTES))
        packages = [one for one in said["packages"] if isinstance(one, dict)]
    except (zlib.error, ValueError, RecursionError, KeyError, TypeError):
        found.note(f"rust: what {program} says of itself cannot be read")
        return
    for one in packages:
        name, version = one.get("name"), one.get("version")
        is_ours = one.get("kind", "runtime") == "runtime" and one.get("source") == "crates.io"
        if is_ours and isinstance(name, str) and isinstance(version, str):
            found.add("crates.io", name, version)
