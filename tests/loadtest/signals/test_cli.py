"""`pharos signals`, as a shell uses it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.signals import cli

GOOD = "name: m\nrate: 20\nduration: {duration}\ngenerator: {{type: step, step_size: 1}}\nsink: {{type: platform}}\n"


PROGRAM = [sys.executable, "-c", "import sys; from config.cli import main; sys.argv[0] = 'pharos'; main()", "signals"]


def test_run_writes_every_event_and_ends(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(
        "version: 2\nkind: runnable\ndefaults: {rate: 20, duration: 300ms}\nscenarios:\n"
        "- {name: m, generator: {type: csv_replay, file: v.csv}, sink: {type: platform}}\n"
        "- {name: l, signal_type: logs, log_generator: {type: template, templates: [{message: '${WHO:-you}'}]}}\n"
    )
    (tmp_path / "v.csv").write_text("t,v\n0,1\n0.05,2\n0.1,3\n")
    ran = subprocess.run([*PROGRAM, "run", file, "--stdout"], capture_output=True, text=True, timeout=60, check=False)
    lines = ran.stdout.splitlines()
    assert ran.returncode == 0, ran.stderr
    assert [line.split()[1] for line in lines if line.startswith("v ")] == ["1", "2", "3", "1", "2", "3"]
    assert [json.loads(line)["message"] for line in lines if line.startswith("{")] == ["you"] * 6
    assert "v: 6 events" in ran.stderr


def test_duration_ends_a_run_early_and_files_are_written_beside_the_scenario(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text("name: m\nrate: 100\ngenerator: {type: step, step_size: 1}\nsink: {type: file, path: out.txt}\n")
    assert cli.main(["run", str(file), "--duration", "150ms", "--quiet"]) == 0
    assert (tmp_path / "out.txt").read_text().startswith("m 0 ")


def test_a_sink_that_fails_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    file = tmp_path / "one.yaml"
    file.write_text("name: m\nrate: 9\ngenerator: {type: step, step_size: 1}\nsink: {type: file, path: out}\n")
    assert cli.main(["run", str(file), "--duration", "100ms"]) == 1
    assert "deliveries failed" in capsys.readouterr().err


def test_the_sink_platform_needs_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(GOOD.format(duration="1s"))
    assert cli.main(["run", str(file)]) == 2
    assert "--stdout" in capsys.readouterr().err


def test_check_tells_line_and_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(GOOD.format(duration="5"))
    assert cli.main(["check", str(file)]) == 1
    assert capsys.readouterr().err.startswith(f"{file}:3:1: entry 'm': 'duration' ")
    file.write_text(GOOD.format(duration="5s"))
    assert cli.main(["check", str(file)]) == 0
    assert capsys.readouterr().out == "m: metrics, 20 a second for 5 s\n"
    assert cli.main(["check", str(tmp_path / "none.yaml")]) == 2


def test_library_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["library"]) == 0
    assert "log_storm" in capsys.readouterr().out
    assert cli.main(["show", "log_storm"]) == 0
    assert capsys.readouterr().out.startswith("version: 2")
    assert cli.main(["show", "nope"]) == 2


def test_a_reader_that_leaves_ends_the_run_quietly() -> None:
    body = GOOD.format(duration="1h").replace("rate: 20", "rate: 2000")
    words = ["run", "-", "--stdout", "--quiet"]
    with subprocess.Popen(
        [*PROGRAM, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdin.write(body.encode())
        process.stdin.close()
        assert process.stdout.readline().startswith(b"m 0 ")
        process.stdout.close()
        assert process.wait(30) == 0
        assert process.stderr.read() == b""
