"""What commands print: tables for people on a terminal, plain lines in a pipe, JSON on demand (user experience §9)."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

GREEN, RED, YELLOW, DIM = "32", "31", "33", "2"
COLOURS = {"pass": GREEN, "fail": RED, "error": RED, "timeout": RED, "running": YELLOW, "queued": YELLOW}


def is_terminal() -> bool:
    return sys.stdout.isatty()


def coloured(text: str, colour: str | None) -> str:
    """The text in a colour, on a terminal whose owner has nothing against it."""
    if not colour or not is_terminal() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def harmless(text: Any) -> str:
    """One line without control characters, which could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))


def say(text: str) -> None:
    """Progress and faults: to standard error, so that results can be piped on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def put(text: str = "", *, end: str = "\n") -> None:
    """A result."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def put_json(value: Any) -> None:
    put(json.dumps(value, indent=2, ensure_ascii=False))


def put_table(header: Sequence[str], rows: Sequence[Sequence[Any]], *, state: int | None = None) -> None:
    """Rows under a header; in a pipe without header, parted by tabs. `state` is the column whose words have colours."""
    cells = [[harmless("-" if cell is None else cell) for cell in row] for row in rows]
    if not is_terminal():
        for row in cells:
            put("\t".join(row))
        return
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    room = shutil.get_terminal_size().columns
    put(coloured(_line(header, widths)[:room], DIM))
    for row in cells:
        text = _line(row, widths)[:room]
        if state is not None and row[state] in COLOURS:
            text = text.replace(row[state], coloured(row[state], COLOURS[row[state]]), 1)
        put(text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
