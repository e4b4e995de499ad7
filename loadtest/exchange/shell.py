"""The words of a command line as a POSIX shell sees them, `$'…'` included. Pure; nothing is run or expanded."""

import re

from config.api.errors import Invalid

_CONTINUED = re.compile(r"\\\r?\n")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}

# One piece of a word. Quotes may touch each other and plain text: they make one word.
_PIECE = re.compile(
    r"""\$'(?P<ansi>(?:[^'\\]|\\.)*)' | '(?P<single>[^']*)' | \$?"(?P<double>(?:[^"\\]|\\.)*)"
        | \\(?P<escaped>.) | (?P<plain>[^\s'"\\$]+|\$)""",
    re.VERBOSE | re.DOTALL,
)


def words(command: str) -> list[str]:
    """The words up to the first `|`, `;` or redirection that stands alone. Raises Invalid for an open quote."""
    found, position, end = [], 0, len(command)
    while position < end:
        if hit := re.compile(r"(?:\s|\\\r?\n)+").match(command, position):
            position = hit.end()
            continue
        pieces = []
        while position < end and not command[position].isspace() and not _CONTINUED.match(command, position):
            piece = _PIECE.match(command, position)
            if piece is None:
                raise Invalid("The command ends within quotes")
            pieces.append(piece)
            position = piece.end()
        if _ends(pieces):
            break
        found.append("".join(_text(piece) for piece in pieces))
    return found


def _ends(pieces: list[re.Match[str]]) -> bool:
    plain = pieces[0]["plain"] if pieces else None
    return re.match(r"[|;]|&&|&$|[0-9]?[<>]", plain or "") is not None


def _text(piece: re.Match[str]) -> str:
    match piece.lastgroup:
        case "ansi":
            return _ESCAPE.sub(_unescaped, piece["ansi"])
        case "double":
            return re.sub(r'\\(\r?\n|["\\$`])', lambda hit: hit[1].strip("\r\n"), piece["double"])
        case _:
            return piece[piece.lastgroup or 0]


def _unescaped(hit: re.Match[str]) -> str:
    if code := hit[1] or hit[2] or hit[3]:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return chr(int(hit[4], 8) & 0xFF) if hit[4] else _NAMED.get(hit[5], hit[5])
