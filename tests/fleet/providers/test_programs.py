"""Programs that drivers start: the `sindri` program, and what ends one that does not end by itself."""

import os
import stat
import time

import pytest

from fleet.providers.base import DriverFailed, Order
from fleet.providers.programs import run
from fleet.providers.sindri import SindriDriver


@pytest.fixture
def sindri(settings, tmp_path):
    """A program that writes down how it was called."""
    program = tmp_path / "sindri"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/words\nenv > {tmp_path}/env\n'
        f'for last; do :; done\ncat "$last" > {tmp_path}/file\n'
        '[ "$1" != destroy ] || { echo "not found" >&2; exit 4; }\n'
    )
    program.chmod(stat.S_IRWXU)
    settings.SINDRI_CLI = str(program)
    return tmp_path


def test_the_sindri_program_is_called_with_a_small_file(sindri, machine, monkeypatch):
    monkeypatch.setenv("PHAROS_SECRET_KEY", "not-for-others")
    driver = SindriDriver(machine(provider="fly"))
    assert driver.can == {"suspend", "resume", "destroy"}
    driver.suspend()
    assert (sindri / "words").read_text().startswith("stop --config ")
    assert (sindri / "file").read_text() == "deployment:\n  provider: fly\nname: web-1\nversion: '3.0'\n"
    assert "not-for-others" not in (sindri / "env").read_text()
    driver.resume()
    assert (sindri / "words").read_text().startswith("start --config ")
    with pytest.raises(DriverFailed, match="sindri destroy ended with code 4: not found"):
        driver.destroy()
    assert (sindri / "words").read_text().startswith("destroy --force --config ")


def test_without_the_program_nothing_is_offered(settings, machine):
    settings.SINDRI_CLI = ""
    assert SindriDriver(machine()).can == frozenset()
    settings.SINDRI_CLI = "/nowhere/sindri"
    with pytest.raises(DriverFailed, match="cannot be started: No such file"):
        SindriDriver(machine()).suspend()


def test_a_program_ends_with_its_children_when_its_time_is_over(tmp_path):
    pid = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(DriverFailed, match="it did not end within 0.2 s"):
        run(["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"], timeout_s=0.2, what="it")
    assert time.monotonic() - started < 5
    with pytest.raises(ProcessLookupError):
        for _ in range(200):
            os.kill(int(pid.read_text()), 0)
            time.sleep(0.01)


def test_much_output_and_many_complaints_are_bounded():
    pieces = []
    run(
        ["sh", "-c", "head -c 3000000 /dev/zero; head -c 300000 /dev/zero >&2"],
        timeout_s=10,
        what="it",
        output=pieces.append,
    )
    assert sum(map(len, pieces)) == 3_000_000
    with pytest.raises(DriverFailed) as failed:
        run(["sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1"], timeout_s=10, what="it")
    assert len(str(failed.value)) < 600


def test_names_of_files_are_plain():
    for label, name in (
        ("a b/../c", "a_b_.._c-12345678.tar.gz"),
        ("../..", "_..-12345678.tar.gz"),
        ("ä", "_-12345678.tar.gz"),
    ):
        assert Order("12345678-0000", label, "gzip", 1).file_name == name
    assert Order("12345678-0000", "...", "none", 1).file_name == "backup-12345678.tar"
