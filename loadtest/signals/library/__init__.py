"""Ready scenarios to start from: YAML files, whose comment lines at the top say what they show."""

from functools import cache
from importlib.resources import files

import msgspec
import yaml


class Ready(msgspec.Struct, frozen=True):
    """`name` is the file's, `kind` one of metrics, logs or mixed, `body` the YAML text as it is posted."""

    name: str
    description: str
    kind: str
    body: str


@cache
def _ready() -> dict[str, Ready]:
    found = (one for one in files(__name__).iterdir() if one.name.endswith(".yaml"))
    made = [_read(one.name.removesuffix(".yaml"), one.read_text(encoding="utf-8")) for one in found]
    return {one.name: one for one in sorted(made, key=lambda one: one.name)}


def _read(name: str, body: str) -> Ready:
    document = yaml.safe_load(body)
    signals = {"logs" if one.get("signal_type") == "logs" else "metrics" for one in document["scenarios"]}
    return Ready(name, document["description"], signals.pop() if len(signals) == 1 else "mixed", body)


def scenarios() -> list[Ready]:
    """All of them, sorted by name."""
    return list(_ready().values())


def scenario(name: str) -> Ready | None:
    return _ready().get(name)
