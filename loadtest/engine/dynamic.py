"""Names that draw a new value each time they are sent, and requests that hold such names.

Contract: load testing §7, "dynamic names". A template is a tuple whose bytes are sent as they are and whose texts
name what is drawn in their place: a key of GENERATORS, or LENGTH for the size of what follows the empty line.
"""

import random
import re
import secrets
import string
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

Template = tuple[bytes | str, ...]

LENGTH = "Content-Length"
ENCODED = "%"  # before a name: its value percent-encoded, for addresses and forms

_FIRST = ("Ada", "Ben", "Cleo", "Dana", "Emil", "Faye", "Gus", "Hana", "Ivo", "June", "Kai", "Lena", "Milo", "Nora")
_LAST = ("Ash", "Birch", "Cedar", "Elm", "Fern", "Hazel", "Juniper", "Linden", "Maple", "Oak", "Pine", "Rowan", "Yew")
_TRADES = ("Bridge", "Harbour", "Lantern", "Meadow", "Orchard", "Quarry", "River", "Summit", "Valley", "Windmill")
_FORMS = ("Group", "Labs", "Ltd", "Partners", "Works")
_ALPHANUMERIC = string.ascii_lowercase + string.digits
_PASSWORD = string.ascii_letters + string.digits

_FIXED, _VERSION_4 = 0xF << 76 | 0x3 << 62, 0x4 << 76 | 0x2 << 62  # the bits of a UUID that tell its kind

_LENGTH_LINE = re.compile(rb"\r\ncontent-length:[^\r\n]*", re.IGNORECASE)

# What is drawn is test data, not a secret: the fast generator will do.
_pick = random.choice


def _name() -> str:
    return f"{_pick(_FIRST)} {_pick(_LAST)}"


def _email() -> str:
    return f"{_pick(_FIRST)}.{_pick(_LAST)}{random.randrange(10_000)}@example.com".lower()  # noqa: S311


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _url() -> str:
    return f"https://{_pick(_TRADES).lower()}{random.randrange(1000)}.example.com"  # noqa: S311


def _ip() -> str:
    return ".".join(str(random.randint(1, 254)) for _ in range(4))  # noqa: S311


def _guid() -> str:
    """A random UUID (version 4), three times faster than by the uuid module."""
    text = f"{random.getrandbits(128) & ~_FIXED | _VERSION_4:032x}"  # noqa: S311
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_PLAIN: dict[str, Callable[[], str]] = {
    "$guid": _guid,
    "$randomUUID": _guid,
    "$timestamp": lambda: str(int(time.time())),
    "$isoTimestamp": _moment,
    "$randomInt": lambda: str(int(random.random() * 1001)),  # noqa: S311
    "$randomAlphaNumeric": lambda: _pick(_ALPHANUMERIC),
    "$randomBoolean": lambda: _pick(("true", "false")),
    "$randomEmail": _email,
    "$randomFirstName": lambda: _pick(_FIRST),
    "$randomLastName": lambda: _pick(_LAST),
    "$randomFullName": _name,
    "$randomCompanyName": lambda: f"{_pick(_TRADES)} {_pick(_FORMS)}",
    "$randomUrl": _url,
    "$randomIP": _ip,
    "$randomPassword": lambda: "".join(random.choices(_PASSWORD, k=15)),  # noqa: S311
}
NAMES = tuple(_PLAIN)


def _encoded(generate: Callable[[], str]) -> Callable[[], str]:
    return lambda: quote(generate(), safe="")


GENERATORS: dict[str, Callable[[], str]] = _PLAIN | {ENCODED + name: _encoded(make) for name, make in _PLAIN.items()}


class Marks:
    """Stand-ins for dynamic names while a request is put together: letters and digits that no encoding touches."""

    def __init__(self) -> None:
        self._stem = f"dynamic{secrets.token_hex(12)}"
        self._names: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._names)

    def mark(self, name: str, *, encoded: bool = False) -> str:
        """A new stand-in for one occurrence of `name`; `encoded` percent-encodes what is drawn."""
        self._names.append(ENCODED + name if encoded else name)
        return f"{self._stem}n{len(self._names) - 1}x"

    def drawn(self, text: str) -> str:
        """The text with a value in place of each stand-in."""
        return re.sub(f"{self._stem}n([0-9]+)x", lambda found: self._draw(found[1]), text)

    def drawn_bytes(self, data: bytes) -> bytes:
        """The same for bytes."""
        return re.sub(rb"%sn([0-9]+)x" % self._stem.encode(), lambda found: self._draw(found[1]).encode(), data)

    def _draw(self, number: str | bytes) -> str:
        return GENERATORS[self._names[int(number)]]()

    def template(self, request: bytes) -> Template:
        """The template of a whole request that holds stand-ins."""
        parts: list[bytes | str] = []
        end = 0
        for found in re.finditer(rb"%sn([0-9]+)x" % self._stem.encode(), request):
            parts += [request[end : found.start()], self._names[int(found[1])]]
            end = found.end()
        return _with_length((*parts, request[end:]))


def _with_length(parts: Template) -> Template:
    """The same with LENGTH where the head states the size of the body."""
    made: list[bytes | str] = []
    for index, part in enumerate(parts):
        if isinstance(part, str):
            made.append(part)
            continue
        head, gap, body = part.partition(b"\r\n\r\n")
        if found := _LENGTH_LINE.search(head):
            made += [head[: found.start()] + b"\r\nContent-Length: ", LENGTH, head[found.end() :] + gap + body]
        else:
            made.append(part)
        if gap:
            return (*made, *parts[index + 1 :])
    return tuple(made)


def draw(template: Template, generators: Mapping[str, Callable[[], str]] = GENERATORS) -> bytes:
    """One request: a new value for every name, and the length that its body then has."""
    pieces = [
        part if isinstance(part, bytes) else b"" if part == LENGTH else generators[part]().encode() for part in template
    ]
    if LENGTH in template:
        whole = b"".join(pieces)
        size = len(whole) - whole.index(b"\r\n\r\n") - 4
        pieces[template.index(LENGTH)] = str(size).encode()
    return b"".join(pieces)
