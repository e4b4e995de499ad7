"""`pm`, the object that scripts work with, in JavaScript (contract: load testing §15.2, §15.3)."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

_PARTS = ("base", "console", "values", "chain", "expect", "scopes", "request", "response", "main")


@cache
def vocabulary() -> dict[str, Any]:
    """What scripts may say: the words of assertions, from which they are made, and all names with their meaning."""
    return json.loads((files(__package__) / "vocabulary.json").read_text(encoding="utf-8"))


@cache
def source() -> str:
    """One expression in JavaScript whose value is `{run, finish}`."""
    table = vocabulary()
    words = (
        f"const WORDS = {{neutral: new Set({json.dumps(table['neutral'])}), "
        f"flags: new Set({json.dumps([flag['words'][0] for flag in table['flags']])}), "
        f"expect: {json.dumps(_plain(table['expect']))}, response: {json.dumps(_plain(table['response']))}}};\n"
    )
    base, *parts = [(files(__package__) / f"{name}.js").read_text(encoding="utf-8") for name in _PARTS]
    return f"(function () {{\n'use strict';\n{base}{words}{''.join(parts)}}})()"


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"words": row["words"], "getter": row.get("getter", False)} for row in rows]
