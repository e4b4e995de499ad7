"""The published JSON Schemas, read from the files beside this one."""

import json
from functools import cache
from importlib import resources
from typing import Any

NAMES = (
    *("case.schema.json", "case-trace.schema.json", "rule.schema.json"),
    *("rules.schema.json", "policy.schema.json", "fixtures.schema.json"),
)


@cache
def schema(name: str) -> dict[str, Any] | None:
    """The schema of that file name; None when it is none of NAMES."""
    if name not in NAMES:
        return None
    file = resources.files("loadtest.replay.documents.published") / name
    return json.loads(file.read_text(encoding="utf-8"))
