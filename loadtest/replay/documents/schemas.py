"""The published JSON Schemas, read from the files beside this one."""

from typing import Any

NAMES = ("case.schema.json", "case-trace.schema.json", "rule.schema.json", "policy.schema.json", "fixtures.schema.json")


def schema(name: str) -> dict[str, Any] | None:
    """The schema of that file name; None when it is none of NAMES."""
    raise NotImplementedError
