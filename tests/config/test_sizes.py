"""Files stay small enough to be read at once: architecture, "Sizes to keep"."""

from pathlib import Path
from statistics import median, quantiles

import pytest

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("config", "security", "fleet", "monitors", "loadtest", "alerts", "costs", "scripts", "benchmarks")
MEDIAN, NINE_IN_TEN, LONGEST = 80, 250, 400


def lines_of(*folders: str) -> dict[str, int]:
    """Lines of each Python file that has any, generated migrations excepted."""
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    counts = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in files
        if not {"migrations", "build", "dist"} & set(path.parts)
    }
    return {path: count for path, count in counts.items() if count}


def test_no_file_is_too_long() -> None:
    too_long = {path: count for path, count in lines_of(*SOURCES, "tests").items() if count > LONGEST}
    assert not too_long


def test_most_files_are_short() -> None:
    counts = lines_of(*SOURCES).values()
    assert median(counts) <= MEDIAN
    assert quantiles(counts, n=10)[-1] <= NINE_IN_TEN
