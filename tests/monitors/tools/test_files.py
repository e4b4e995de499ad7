"""The tools' files that are no Python reach those who install the product or an agent."""

import fnmatch
import io
import tomllib
from pathlib import Path
from zipfile import ZipFile

from django.conf import settings

from monitors.agents.distribution import wheel

TOOLS = Path("monitors/tools")


def _others() -> set[Path]:
    files = {file.relative_to(settings.BASE_DIR) for file in (settings.BASE_DIR / TOOLS).rglob("*") if file.is_file()}
    return {file for file in files if file.suffix != ".py" and "__pycache__" not in file.parts}


def test_in_the_package_of_the_product() -> None:
    document = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    data = document["tool"]["setuptools"]["package-data"]
    for file in _others():
        patterns = data[".".join(file.parent.parts)]
        assert any(fnmatch.fnmatch(file.name, pattern) for pattern in patterns), file


def test_in_the_package_of_an_agent() -> None:
    with ZipFile(io.BytesIO(wheel())) as archive:
        names = set(archive.namelist())
    assert {str(file) for file in _others()} <= names
    assert f"{TOOLS}/launcher/__main__.py" in names
    assert len(_others()) == 2
