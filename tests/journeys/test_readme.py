"""Every command that the README shows does what it says. `make up` and `make test` have their own tests."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.journey]
ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = [block for block in re.findall(r"```sh\n(.+?)```", README, re.DOTALL) if not block.startswith("make ")]
IN_TABLES = re.findall(r"\| `(curl .+?)` \|", README)
ANYWHERE = "http://127.0.0.1:8000"


def shell(product, script):
    """Run the lines as a newcomer would, in one shell; curl fails on an error status."""
    script = script.replace(ANYWHERE, product.url).replace("curl ", "curl --fail --silent --show-error ")
    return subprocess.run(
        ["bash", "-euc", script], cwd=ROOT, env=product.env, capture_output=True, text=True, timeout=60
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_commands_of_the_readme(embedded_product):
    assert len(BLOCKS) >= 2 and len(IN_TABLES) >= 3
    [make_key] = [block for block in BLOCKS if "keys create" in block]
    made = shell(embedded_product, f'{make_key}\nprintf %s "$KEY"')
    assert made.returncode == 0 and made.stdout.startswith("sk-"), made.stderr
    for command in [block for block in [*BLOCKS, *IN_TABLES] if block != make_key]:
        done = shell(embedded_product, f"KEY={made.stdout}\n{command}")
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_pictures_and_pages_of_the_readme_exist():
    linked = re.findall(r"\]\(((?!http)[^)#]+)\)", README)
    assert len(linked) >= 5
    assert not [path for path in linked if not (ROOT / path).exists()]
