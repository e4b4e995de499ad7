"""Ready scenarios to start from."""

import msgspec


class Ready(msgspec.Struct, frozen=True):
    """`name` is the file's, `kind` one of metrics, logs or mixed, `body` the YAML text as it is posted."""

    name: str
    description: str
    kind: str
    body: str


def scenarios() -> list[Ready]:
    """All of them, sorted by name."""
    raise NotImplementedError


def scenario(name: str) -> Ready | None:
    raise NotImplementedError
