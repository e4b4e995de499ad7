"""An agent of its own process makes a backup of its machine, asked for over the API."""

import hashlib
import os
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.console import Console, wait_for

pytestmark = [pytest.mark.journey]


@contextmanager
def agent(product, key, folder):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PHAROS_", "SINDRI_"))}
    env |= {"PHAROS_URL": product.url, "PHAROS_AGENT_KEY": key, "PHAROS_INSTANCE_ID": "to-be-kept"}
    env["PHAROS_AGENT_STATE_DIR"] = str(folder / "state")
    with (folder / "agent.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "pharos_agent"], env=env, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def test_the_agent_backs_up_a_folder(embedded_product, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("worth keeping")
    console = Console(embedded_product.url, embedded_product.new_key("ADMIN"))

    def connected():
        found = console.get("/api/v1/instances?search=to-be-kept")["instances"]
        return found[0]["id"] if found and found[0]["agentVersion"] else None

    with agent(embedded_product, console.key, tmp_path):
        path = f"/api/v1/instances/{wait_for('the agent', connected, timeout_s=30)}"
        options = {"paths": [str(tmp_path / "data")], "to": str(tmp_path / "backups")}
        console.call("PUT", f"{path}/driver", {"driver": "agent", "options": options})
        assert console.get(f"{path}/lifecycle")["availableActions"] == ["backup"]

        def made():
            [backup] = console.get(f"{path}/backups")["backups"]
            return backup if backup["status"] in ("completed", "failed") else None

        console.post(f"{path}/backup", {"label": "journey"}, expect=202)
        backup = wait_for("the backup", made, timeout_s=30)
        assert (backup["status"], backup["message"]) == ("completed", None)
    archive = Path(backup["place"])
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == backup["sha256"]
    with tarfile.open(archive) as tar:
        [name] = [name for name in tar.getnames() if name.endswith("/data/file")]
        assert tar.extractfile(name).read() == b"worth keeping"
    console.call("DELETE", f"{path}/driver")
    assert console.post(f"{path}/destroy")["status"] == "DESTROYED"
