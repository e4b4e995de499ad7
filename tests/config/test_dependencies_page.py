"""docs/dependencies.md has one line for each library that is declared, and none for others."""

import re
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parents[2]


def declared(path: str) -> set[str]:
    project = tomllib.loads((ROOT / path).read_text())["project"]
    requirements = [*project["dependencies"], *sum(project.get("optional-dependencies", {}).values(), [])]
    return {re.match(r"[\w-]+", requirement)[0].lower() for requirement in requirements}


def test_every_library_has_its_line() -> None:
    page = (ROOT / "docs/dependencies.md").read_text()
    listed = set(re.findall(r"^\| ([\w-]+)(?: \(`\w+`\))? \| (?!licence)", page, re.MULTILINE))
    assert listed == declared("pyproject.toml") | declared("fleet/agent/pyproject.toml")
