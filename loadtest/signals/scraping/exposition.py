"""The latest value of each series in the Prometheus text form (contract: signals §7.2, §7.3). Pure."""

from collections.abc import Iterable
from typing import NamedTuple

UNTYPED = "untyped"
PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


class Exposed(NamedTuple):
    """One scenario: its metric's name, type and help, and its series as name, label text and value text."""

    name: str
    kind: str
    help: str
    series: list[tuple[str, str, str]]


def text(scenarios: Iterable[Exposed]) -> str:
    """One block for each base name, sorted; of series that several scenarios have, the first counts."""
    blocks: dict[str, list[Exposed]] = {}
    for one in scenarios:
        if one.series:
            blocks.setdefault(one.name, []).append(one)
    return "".join(_block(name, blocks[name]) for name in sorted(blocks))


def _block(name: str, members: list[Exposed]) -> str:
    kinds = {one.kind for one in members}
    helps = [one.help for one in members if one.help]
    lines = [f"# HELP {name} {_escaped(helps[0])}"] if helps else []
    lines.append(f"# TYPE {name} {kinds.pop() if len(kinds) == 1 else UNTYPED}")
    seen = set()
    every = [series for one in members for series in one.series]
    for series, labels, value in every if len(members) == 1 else sorted(every, key=lambda one: one[:2]):
        if (series, labels) not in seen:
            seen.add((series, labels))
            lines.append(f"{series}{labels} {_exposed(value)}")
    return "\n".join(lines) + "\n"


def _escaped(help: str) -> str:
    return help.replace("\\", "\\\\").replace("\n", "\\n")


def _exposed(value: str) -> str:
    return {"inf": "+Inf", "-inf": "-Inf"}.get(value, value)
