"""The driver `docker` against the calls of the Engine API."""

import shutil
import socket

import pytest

from fleet.providers.base import DriverFailed
from fleet.providers.docker import DockerDriver
from tests.fleet.providers.conftest import content, order
from tests.fleet.providers.engine import Engine


@pytest.fixture
def engine(settings, tmp_path):
    path = tmp_path / "docker.sock"
    settings.DOCKER_HOST = f"unix://{path}"
    engine = Engine(path)
    yield engine
    engine.close()


def test_stop_start_and_remove(engine, machine):
    engine.run("web")
    driver = DockerDriver(machine(target="web"))
    assert driver.can == {"suspend", "resume", "destroy", "backup"}
    driver.suspend()
    driver.suspend()
    assert engine.containers["web"]["state"] == "exited"
    driver.resume()
    driver.resume()
    assert engine.containers["web"]["state"] == "running"
    driver.destroy()
    driver.destroy()
    assert engine.containers == {}


def test_without_a_target_the_label_decides(engine, machine):
    driver = DockerDriver(machine())
    engine.run("web-1")
    with pytest.raises(DriverFailed, match="No container carries the label pharos.instance=web-1"):
        driver.suspend()
    engine.run("other", labels={"pharos.instance": "web-1"})
    driver.suspend()
    assert {name: one["state"] for name, one in engine.containers.items()} == {"web-1": "running", "other": "exited"}
    engine.run("third", labels={"pharos.instance": "web-1"})
    with pytest.raises(DriverFailed, match="2 containers carry"):
        driver.destroy()
    assert len(engine.containers) == 3


def test_a_backup_holds_the_volumes_under_their_paths(engine, machine, backups):
    engine.run("web", volumes={"/var/lib/app": {"a.txt": b"one" * 9999}, "/srv": {"b": b""}})
    driver = DockerDriver(machine(target="web"))
    for compression, ending in (("none", ".tar"), ("gzip", ".tar.gz")):
        archive = driver.backup(order(compression))
        assert archive.place == str(backups / "i1" / f"before-12345678{ending}")
        assert content(archive) == {"srv/b": b"", "var/lib/app/a.txt": b"one" * 9999}
    assert [path.stat().st_mode & 0o777 for path in (backups / "i1").iterdir()] == [0o600, 0o600]


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
def test_a_container_without_volumes_is_exported_whole(engine, machine):
    import subprocess

    engine.run("web", files={"etc/app.conf": b"x"})
    archive = DockerDriver(machine(target="web")).backup(order("zstd"))
    listed = subprocess.run(["tar", "--zstd", "-tf", archive.place], capture_output=True, check=True, text=True)
    assert listed.stdout.split() == ["etc/app.conf"]


def test_a_backup_that_breaks_leaves_no_file(engine, machine, backups):
    with pytest.raises(DriverFailed, match="No such container: gone"):
        DockerDriver(machine(target="gone")).backup(order())
    engine.run("web", files={"a": b"x" * 10_000_000})
    with pytest.raises(DriverFailed, match="did not end within"):
        DockerDriver(machine(target="web")).backup(order(timeout_s=0.000001))
    assert not list(backups.rglob("*.tar*"))


def test_an_engine_that_is_away_or_silent(settings, machine, tmp_path, monkeypatch):
    settings.DOCKER_HOST = f"unix://{tmp_path / 'nothing'}"
    driver = DockerDriver(machine(target="web"))
    with pytest.raises(DriverFailed, match="Docker cannot be reached: No such file"):
        driver.suspend()
    monkeypatch.setattr("fleet.providers.docker.ACTION_TIMEOUT_S", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        settings.DOCKER_HOST = f"unix://{tmp_path / 'silent'}"
        with pytest.raises(DriverFailed, match="did not answer within 0.05 s"):
            driver.suspend()


def test_what_is_not_set_up_is_not_offered(settings, machine):
    settings.DOCKER_HOST = ""
    driver = DockerDriver(machine(target="web"))
    assert (driver.can, "PHAROS_DOCKER_HOST" in driver.lacking) == (frozenset(), True)
    for wrong in ("a/b", "-x", "../x", "a" * 129):
        with pytest.raises(ValueError, match="container"):
            DockerDriver.check_target(wrong)
