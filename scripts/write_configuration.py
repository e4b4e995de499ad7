"""Write the table of environment variables in docs/configuration.md from `config.env`.

Run `.venv/bin/python scripts/write_configuration.py` after a variable has changed; a test says when that is due.
"""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"
START, END = "<!-- variables -->\n", "<!-- end of variables -->"
sys.path.insert(0, str(ROOT))

from config.env import Env  # noqa: E402


def names_of(name: str, alias: Any) -> str:
    """The variable's name, and its synonyms."""
    choices = [f"PHAROS_{name.upper()}"] if alias is None else getattr(alias, "choices", [alias])
    first, *others = [f"`{choice}`" for choice in choices]
    return f"{first} (or {', '.join(others)})" if others else first


def default_of(value: Any) -> str:
    """How a default is written in the environment; nothing for variables that are unset."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{','.join(map(str, value)) if isinstance(value, list) else value}`"


def table() -> str:
    """The Markdown table, in the order of the declarations."""
    lines = ["| variable | default | what it does |", "|---|---|---|"]
    for name, about in Env.model_fields.items():
        row = names_of(name, about.validation_alias), default_of(about.default), about.description or ""
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page with a fresh table."""
    before, _, rest = PAGE.read_text().partition(START)
    return f"{before}{START}{table()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page())
