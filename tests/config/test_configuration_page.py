"""The documentation lists every environment variable as the code declares it."""

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parents[2]


def test_table_of_variables_is_up_to_date() -> None:
    writer = runpy.run_path(str(ROOT / "scripts/write_configuration.py"))
    assert (ROOT / "docs/configuration.md").read_text() == writer["page"](), (
        "run .venv/bin/python scripts/write_configuration.py"
    )


def test_every_variable_says_what_it_does() -> None:
    from config.env import Env

    assert not [name for name, about in Env.model_fields.items() if not about.description]
