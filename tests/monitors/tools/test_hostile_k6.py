"""Scripts for the real k6 that mean no good, or do what few scripts do (contract: monitors §8.1, §8.2)."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from monitors.runs.models import Status
from monitors.tools import process

pytestmark = pytest.mark.django_db


def test_a_duration_that_is_ignored(tool_run: Any) -> None:
    script = "export const options = { duration: '1s', vus: 2 }; export default function () { while (true) {} }"
    began = time.monotonic()
    run, log = tool_run("k6", script, timeout_s=2)
    assert (run.status, run.error) == (Status.TIMEOUT, None), log
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "script",
    [
        "import exec from 'k6/x/exec'; export default () => exec.command('sleep', ['300'])",
        "import { spawn } from 'node:child_process'; export default () => spawn('sleep', ['300'])",
        "const os = require('os'); export default () => os.exec('sleep 300')",
    ],
)
def test_there_is_no_way_to_start_a_program(tool_run: Any, script: str) -> None:
    run, log = tool_run("k6", script)
    assert (run.status, run.error_code, run.exit_code) == (Status.ERROR, "script_error", 107), log


@pytest.mark.parametrize("name", ["pharos.sqlite3", "vault.key", "deep/file"])
def test_the_data_folder_cannot_be_read(tool_run: Any, settings: Any, tmp_path: Path, name: str) -> None:
    settings.DATA_DIR = tmp_path / "data"
    file = settings.DATA_DIR / name
    file.parent.mkdir(parents=True)
    file.write_text("of the product only")
    for folder in (tmp_path, *tmp_path.parents):  # what keeps the script out is not a closed folder above
        if folder.stat().st_uid == os.getuid() and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    run, log = tool_run("k6", f"const text = open('{file}'); export default function () {{ console.log(text) }}")
    assert (run.status, run.error_code) == (Status.ERROR, "script_error"), log
    assert "of the product only" not in log


@pytest.mark.parametrize("whose", ["self", "worker", "the worker's parent"])
def test_no_environment_but_its_own(tool_run: Any, monkeypatch: Any, whose: str) -> None:
    monkeypatch.setenv("PHAROS_VAULT_KEY", "not for scripts")
    process_id = {"worker": os.getpid(), "the worker's parent": os.getppid()}.get(whose, "self")
    script = f"""let text = ''; try {{ text = open('/proc/{process_id}/environ') }} catch (error) {{ text = 'closed' }}
    export default function () {{ console.log(text) }}"""
    _, log = tool_run("k6", script)
    assert "not for scripts" not in log and "PHAROS" not in log
    assert whose == "self" or "closed" in log


def test_a_summary_of_its_own(tool_run: Any, local_server: Any) -> None:
    """k6 still exports what we read, whatever `handleSummary` gives back."""
    script = """import http from 'k6/http';
    export const options = { iterations: 3, summaryTrendStats: ['max'] };
    export default function () { http.get(__ENV.BASE) }
    export function handleSummary() { return { stdout: 'my own summary\\n', 'other.json': '{}' } }"""
    run, log = tool_run("k6", script)
    assert (run.status, run.metrics["samples"]) == (Status.PASS, 3), log
    assert run.metrics["p50"] > 0 and "my own summary" in log


@pytest.mark.parametrize("forged", ["'no JSON'", "'[1, 2]'", "'{}'", "'{\"metrics\": {}}'"])
def test_a_summary_that_is_forged(tool_run: Any, forged: str) -> None:
    """A script that overwrites what we read gets no pass."""
    script = f"""import http from 'k6/http';
    export default function () {{}}
    export function handleSummary() {{ return {{ 'summary.json': {forged} }} }}"""
    run, log = tool_run("k6", script)
    assert run.status == Status.ERROR or run.metrics["samples"] == 1, log


def test_files_have_a_limit(tool_run: Any, monkeypatch: Any) -> None:
    """k6 complains and ends with 0; the result is there all the same."""
    monkeypatch.setattr(process, "FILE_BYTES", 1 << 20)
    script = """export default function () {}
    export function handleSummary() { return { 'big.txt': 'x'.repeat(3 << 20) } }"""
    run, log = tool_run("k6", script)
    assert (run.status, run.exit_code, run.metrics["samples"]) == (Status.PASS, 0, 1), log
    assert "file too large" in log


def test_a_result_that_was_cut_off(tool_run: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(process, "FILE_BYTES", 100)
    run, log = tool_run("k6", "export default function () {}")
    assert (run.status, run.error_code, run.exit_code) == (Status.ERROR, "bad_result", 0), log


def test_a_judgement_that_is_switched_off(tool_run: Any, local_server: Any) -> None:
    """Without k6's own mark for failed requests, status and error are looked at."""
    local_server.answer(status=500)
    script = """import http from 'k6/http';
    http.setResponseCallback(null);
    export const options = { iterations: 2 };
    export default function () { http.get(__ENV.BASE) }"""
    run, log = tool_run("k6", script)
    assert (run.status, run.metrics["errorRate"], run.metrics["failed"]) == (Status.FAIL, 1, 2), log
    assert run.metrics["apdex"] == 0
    local_server.answer(status=204, body=b"")
    run, log = tool_run("k6", script)
    assert (run.status, run.metrics["errorRate"], run.metrics["apdex"]) == (Status.PASS, 0, 1), log


def test_some_iterations_throw(tool_run: Any, local_server: Any) -> None:
    script = """import http from 'k6/http';
    export const options = { iterations: 4 };
    export default function () { http.get(__ENV.BASE); if (__ITER % 2) throw new Error('odd') }"""
    run, log = tool_run("k6", script)
    assert (run.status, run.metrics["samples"]) == (Status.PASS, 4), log
    assert log.count("Error: odd") == 2


def test_memory_has_a_limit(tool_run: Any) -> None:
    script = """export default function () {
      const kept = []; while (true) kept.push(new ArrayBuffer(64 << 20)) }"""
    run, log = tool_run("k6", script, timeout_s=60)
    assert run.status == Status.ERROR, log
    assert run.error_code in ("script_error", "internal")
