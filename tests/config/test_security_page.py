"""docs/security.md names tests as proof; every one of them is there."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.static
ROOT = Path(__file__).resolve().parents[2]


def test_every_file_that_is_named_is_there():
    text = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    links = set(re.findall(r"\]\(((?:\.\./)?[\w.-]+\.md)\)", text))
    assert len(named) > 25 and len(links) >= 5
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []
    assert [path for path in sorted(links) if not (ROOT / "docs" / path).is_file()] == []
    rows = re.findall(r"^\| API(\d+) .*tests/", text, re.MULTILINE)
    assert rows == [str(number) for number in range(1, 11)]
