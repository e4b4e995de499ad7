"""GET /agent/install.sh and the package that it fetches."""

import os
import stat
import subprocess
import zipfile

import pytest

from fleet.agents.distribution import AGENT, installer

NAME = "pharos_agent-9.9.9-py3-none-any.whl"
KEY = "sk-" + "0" * 48


@pytest.fixture
def wheels(settings, tmp_path):
    """A folder with a small real wheel in the place of the agent's."""
    settings.AGENT_WHEELS = tmp_path / "dist"
    settings.AGENT_WHEELS.mkdir()
    info = "pharos_agent-9.9.9.dist-info"
    files = {
        "pharos_agent.py": "def main():\n    print('the agent')\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: pharos-agent\nVersion: 9.9.9\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\npharos-agent = pharos_agent:main\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(settings.AGENT_WHEELS / NAME, "w") as wheel:
        for name, text in (files | {f"{info}/RECORD": record}).items():
            wheel.writestr(name, text)
    return settings.AGENT_WHEELS


@pytest.mark.django_db
def test_script_names_this_server_and_its_package(client, wheels):
    answer = client.get("/agent/install.sh", headers={"host": "pharos.example.org:8443"})
    assert answer.status_code == 200
    script = answer.content.decode()
    assert script.startswith("#!/bin/sh")
    assert "http://pharos.example.org:8443" in script
    assert NAME in script
    assert "@" not in script.replace("=@%", "")
    assert client.get(f"/agent/{NAME}").getvalue() == (wheels / NAME).read_bytes()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["other.whl", "..%2f..%2fsettings.py", "%2e%2e", NAME.replace("9", "8")])
def test_nothing_else_is_served(client, wheels, name):
    assert client.get(f"/agent/{name}").status_code == 404


@pytest.mark.django_db
def test_unbuilt_package_is_told(client, settings, tmp_path):
    settings.AGENT_WHEELS = tmp_path
    for path in ("/agent/install.sh", f"/agent/{NAME}"):
        answer = client.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "text/plain; charset=utf-8")
        assert b"has not been built" in answer.content


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({}, "set PHAROS_AGENT_KEY"),
        ({"PHAROS_AGENT_KEY": "sk-$(id)"}, "characters that no key has"),
        ({"PHAROS_AGENT_KEY": KEY, "PATH": "/nowhere"}, "python3 is missing"),
    ],
)
def test_script_refuses_clearly(tmp_path, variables, text):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables}
    script = installer(AGENT, url="http://127.0.0.1:9", wheel=NAME)
    done = subprocess.run(
        ["/bin/sh"], input=script, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert text in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_script_installs_and_keeps_the_key_to_the_owner(live_server, wheels, tmp_path, client):
    script = client.get("/agent/install.sh", headers={"host": live_server.url.removeprefix("http://")}).content
    home = tmp_path / "home with space"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PHAROS_AGENT_HOME": str(home),
        "PHAROS_AGENT_KEY": KEY,
        "PHAROS_AGENT_TAGS": "role=web,rack=7",
        "PIP_CONFIG_FILE": os.devnull,
    }
    done = subprocess.run(["/bin/sh"], input=script, env=environment, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    kept = home / "agent.env"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text().splitlines() == [
        f'PHAROS_URL="{live_server.url}"',
        f'PHAROS_AGENT_KEY="{KEY}"',
        'PHAROS_AGENT_TAGS="role=web,rack=7"',
    ]
    assert b'set -a; . "' in done.stdout
    ran = subprocess.run([home / "bin" / "pharos-agent"], capture_output=True, timeout=30, check=True)
    assert ran.stdout == b"the agent\n"
