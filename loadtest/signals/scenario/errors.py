"""Why a scenario is refused: no usable shape (400), or a value that is not allowed (422). Contract: signals §4.4."""

Path = tuple[str | int, ...]
LONGEST = 500  # characters of a message, which may quote what was sent


class Refused(Exception):
    """One sentence that names the entry and the field; `line` and `column` count from 1, None where unknown.

    `path` leads from the top of the document to the field: `("scenarios", 0, "rate")`.
    """

    status = 422

    def __init__(self, message: str, path: Path = (), *, line: int | None = None, column: int | None = None) -> None:
        self.message = message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"
        super().__init__(self.message)
        self.path = path
        self.line = line
        self.column = column


class Shapeless(Refused):
    """The body has no usable shape."""

    status = 400


class Unprocessable(Refused):
    """The shape is right, a value is not allowed."""
