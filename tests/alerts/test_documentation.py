"""What docs/alerts.md tells receivers of webhooks to do works."""

import hashlib
import hmac
import re
import time
from pathlib import Path

import pytest

from alerts.channels.transports.webhook import signatures

PAGE = Path(__file__).parents[2] / "docs" / "alerts.md"


@pytest.mark.parametrize(
    ("secret", "body", "age_s", "genuine"),
    [("s", b"{}", 0, True), ("other", b"{}", 0, False), ("s", b"{ }", 0, False), ("s", b"{}", 301, False)],
)
def test_the_check_of_a_signature(secret, body, age_s, genuine):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names = {"hmac": hmac, "hashlib": hashlib}
    exec(code, names)  # noqa: S102 - the page's own example
    now = int(time.time())
    header = signatures("s", b"{}", at=now - age_s)["X-Pharos-Signature"]
    assert names["genuine"](secret, header, body, now) is genuine
