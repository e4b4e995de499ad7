"""The driver `ssh` against a real sshd on loopback."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.utils import timezone

from config.api.authentication import Principal
from fleet.providers.base import DriverFailed
from fleet.providers.ssh import SshDriver, place_of
from security.ssh_keys import server_key
from tests.factories import make_user
from tests.fleet.providers.conftest import content, order
from tests.support.services import free_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None, reason="sshd (Debian: openssh-server) is not installed"
)
USER = os.environ.get("USER") or subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """sshd on a free port that lets this user in with a key made for the test."""
    folder, port = tmp_path_factory.mktemp("sshd"), free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "user", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "authorized_keys").write_text((folder / "user.pub").read_text())
    host_key = (folder / "host.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    (folder / "wrong_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'other.pub').read_text()}")
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nPermitRootLogin yes\n"
    )
    child = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=subprocess.PIPE, text=True)
    assert "listening" in child.stderr.readline()
    yield folder, port
    child.terminate()
    child.wait(5)
    child.stderr.close()


@pytest.fixture
def driver(server, settings, machine):
    folder, port = server
    settings.SSH_KEY_FILE, settings.SSH_KNOWN_HOSTS = folder / "user", folder / "known_hosts"
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    return lambda **commands: SshDriver(machine(target=f"{USER}@127.0.0.1:{port}", options=commands))


def test_commands_arrive_word_by_word(driver, tmp_path):
    words = ["two words", "$HOME", "a'b\"c", "*", ";false"]
    script = "import sys; open(sys.argv[1], 'w').write('|'.join(sys.argv[2:]))"
    ssh = driver(suspend=[sys.executable, "-c", script, str(tmp_path / "out"), *words], resume=["true"])
    assert ssh.can == {"suspend", "resume"}
    ssh.suspend()
    assert (tmp_path / "out").read_text() == "|".join(words)


def test_the_output_of_the_backup_command_is_the_archive(driver, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").write_bytes(b"content" * 50_000)
    archive = driver(backup=["tar", "-C", str(tmp_path), "-cf", "-", "data"]).backup(order())
    assert content(archive) == {"data/x": b"content" * 50_000}
    assert archive.size_bytes == Path(archive.place).stat().st_size


def test_failures_are_told(driver, backups):
    with pytest.raises(DriverFailed, match="ended with code 3: no such unit"):
        driver(backup=["sh", "-c", "echo half; echo no such unit >&2; exit 3"]).backup(order())
    with pytest.raises(DriverFailed, match="did not end within 0.5 s"):
        driver(backup=["sleep", "60"]).backup(order(timeout_s=0.5))
    assert not list(backups.rglob("*.tar*"))


def test_a_host_with_another_key_is_not_believed(driver, server, settings):
    settings.SSH_KNOWN_HOSTS = server[0] / "wrong_hosts"
    with pytest.raises(DriverFailed, match="ended with code 255"):
        driver(suspend=["true"]).suspend()


def test_hosts_inside_are_guarded(driver, settings):
    settings.OUTBOUND_ALLOW_LOOPBACK, settings.OUTBOUND_ALLOW = False, []
    with pytest.raises(DriverFailed, match="loopback"):
        driver(suspend=["true"]).suspend()


def test_targets():
    assert place_of("root@web-1.example.org") == ("root", "web-1.example.org", 22)
    assert place_of("a.b@[::1]:2222") == ("a.b", "::1", 2222)
    for wrong in ("", "host", "root@", "-o@host", "root@-oProxyCommand=x", "root@host:99999", "root@a b", "root@h\n"):
        with pytest.raises(ValueError, match="user@host"):
            place_of(wrong)


@pytest.mark.django_db
def test_the_servers_own_key_opens_it_and_its_file_is_gone_afterwards(server, settings, machine, tmp_path, monkeypatch):
    folder, port = server
    settings.SSH_KEY_FILE, settings.SSH_KNOWN_HOSTS = None, folder / "known_hosts"
    settings.OUTBOUND_ALLOW_LOOPBACK = True
    ssh = SshDriver(machine(target=f"{USER}@127.0.0.1:{port}", options={"suspend": ["true"]}))
    assert "the server has no key of its own" in ssh.lacking
    with pytest.raises(DriverFailed, match="no SSH key"):
        ssh.suspend()
    key = server_key.generate(actor=Principal(make_user()), now=timezone.now())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert ssh.lacking is None
    with pytest.raises(DriverFailed, match="Permission denied"):
        ssh.suspend()
    with (folder / "authorized_keys").open("a") as file:
        file.write(key.public_key + "\n")
    ssh.suspend()
    assert not list(tmp_path.iterdir())
