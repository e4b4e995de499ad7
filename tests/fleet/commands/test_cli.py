"""`pharos commands`: what is asked of the server, what is printed, the exit code."""

import json
import time

import pytest

from fleet.commands import cli
from tests.support.local_server import Answer

FOUND = {"instances": [{"id": "i1", "name": "web-1", "status": "RUNNING"}]}
ROW = {"id": "e1", "instanceId": "i1", "command": "df", "args": ["-h"], "approval": None, "createdAt": "2026-01-02"}


def answer(body, status=200):
    return Answer(status, json.dumps(body), {"Content-Type": "application/json"})


@pytest.fixture(autouse=True)
def place(local_server, monkeypatch):
    monkeypatch.setenv("PHAROS_API_KEY", "sk-x")
    monkeypatch.setenv("PHAROS_URL", local_server.url)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    local_server.answer("/api/v1/instances", answer(FOUND))


def ran(local_server, *states, **last):
    """The execution as the server tells it, look by look."""
    rows = [ROW | {"status": "RUNNING", "exitCode": None, **state} for state in states]
    local_server.answer("/api/v1/commands/e1", *map(answer, [*rows, rows[-1] | last]))


def test_run_prints_what_the_program_prints(local_server, capsys):
    local_server.answer("/api/v1/commands", answer(ROW, 202))
    ran(
        local_server,
        {"stdout": "one\n", "stderr": None},
        {"stdout": "one\ntwo\x1b[2J\n", "stderr": "oh\n"},
        status="SUCCEEDED",
        exitCode=0,
    )
    assert cli.main(["run", "web-1", "--timeout", "5", "--", "df", "-h", "--json"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("one\ntwo\ufffd[2J\n", "oh\n")
    [asked] = [request for request in local_server.requests if request.method == "POST"]
    assert asked.path == "/api/v1/commands?async=true"
    assert asked.json() == {"command": "df", "args": ["-h", "--json"], "instanceId": "i1", "timeoutMs": 5000}


def test_a_failure_is_the_exit_code(local_server, capsys, tmp_path):
    local_server.answer("/api/v1/commands/script", answer({"results": [{"execution": ROW}]}, 202))
    ran(local_server, {"stdout": "", "stderr": "Agent for instance 'i1' is not connected"}, status="FAILED")
    (tmp_path / "tidy.sh").write_text("id\n")
    assert cli.main(["run", "web-1", "--script", str(tmp_path / "tidy.sh")]) == 1
    assert capsys.readouterr().err == "Agent for instance 'i1' is not connected\n"


def test_wrong_use_is_told(local_server, capsys, tmp_path):
    assert cli.main(["run", "web-1"]) == 2
    assert cli.main(["run", "web-1", "--script", str(tmp_path / "none")]) == 2
    assert cli.main(["run", "web-2", "--", "df"]) == 4
    local_server.answer("/api/v1/commands", answer({"error": "Forbidden", "message": "Not you"}, 403))
    assert cli.main(["run", "web-1", "--", "df"]) == 3


def test_the_list_is_lines_in_a_pipe(local_server, capsys):
    local_server.answer("/api/v1/commands/history", answer({"executions": [ROW | {"status": "FAILED", "exitCode": 3}]}))
    assert cli.main(["list", "--status", "FAILED"]) == 0
    assert capsys.readouterr().out == "FAILED\t3\tdf -h\ti1\t2026-01-02\te1\n"
