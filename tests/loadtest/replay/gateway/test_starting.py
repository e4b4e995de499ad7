"""How a gateway gets its session and gives it back, and what it says when that does not work (contract §5, §12)."""

import json

import pytest

from config.client import ClientError
from loadtest.replay.gateway import main
from loadtest.replay.gateway.sessions import STRICT, Bound, Sessions

V1 = "/api/replay/v1"
CAPTURED = Bound("sess_a", "capture", made_here=True)


@pytest.fixture
def sessions(local_server):
    return Sessions(local_server.url, "k3y")


@pytest.fixture(autouse=True)
def as_json(local_server):
    """What a path of the API answers: `as_json("/meta", {...})`."""

    def answer(path, body, status=200):
        local_server.answer(
            V1 + path, status=status, body=json.dumps(body), headers={"Content-Type": "application/json"}
        )

    answer("/sessions", {"sessionId": "sess_a"}, 201)
    return answer


def calls(server):
    return [(request.path.removeprefix(V1), request.json() if request.body else None) for request in server.requests]


def test_a_case_is_loaded_into_a_strict_session(sessions, local_server, as_json, tmp_path):
    (tmp_path / "a.case.json").write_text('{"caseId": "a"}')
    for path in ("/load-case", "/rules"):
        as_json(f"/sessions/sess_a{path}", {})
    assert sessions.replay(str(tmp_path / "a.case.json")) == Bound("sess_a", "replay", made_here=True)
    created, loaded, ruled = calls(local_server)
    assert created == ("/sessions", {"mode": "replay", "policy": STRICT})
    assert loaded == ("/sessions/sess_a/load-case", {"caseId": "a"})
    [rule] = ruled[1]["rules"]
    assert (rule["when"], rule["then"]) == ({"direction": "outbound"}, {"action": "replay"})
    assert {request.headers["authorization"] for request in local_server.requests} == {"Bearer k3y"}


def test_a_case_that_is_refused_leaves_no_session_behind(sessions, local_server, as_json):
    as_json("/captures/cap_1", {"caseId": "a"})
    as_json("/sessions/sess_a/load-case", {"error": "invalid_body", "message": "traces is missing"}, 400)
    as_json("/sessions/sess_a/close", {})
    with pytest.raises(ClientError, match="traces is missing"):
        sessions.replay("cap_1")
    assert [path for path, _ in calls(local_server)][-1] == "/sessions/sess_a/close"


@pytest.mark.parametrize("case", ["nowhere.json", "../x", "a b"])
def test_a_case_that_is_not_there(sessions, local_server, case):
    with pytest.raises(ClientError) as caught:
        sessions.replay(case)
    assert caught.value.exit_code == 2 and not local_server.requests


def test_a_gateways_key_may_use_a_session_that_it_may_not_look_at(sessions, as_json):
    as_json("/sessions/sess_b", {"mode": "replay"})
    assert sessions.existing("sess_b").mode == "replay"
    as_json("/sessions/sess_b", {"error": "forbidden"}, 403)
    assert sessions.existing("sess_b") == Bound("sess_b", "", made_here=False)
    as_json("/sessions/sess_b", {"error": "session_not_found"}, 404)
    for unusable in ("sess_b", "a/../b"):
        with pytest.raises(ClientError):
            sessions.existing(unusable)


def test_a_capture_is_closed_told_and_written(sessions, as_json, tmp_path):
    as_json("/sessions/sess_a/close", {"casePath": "captures/sess_a.case.json", "traceCount": 1})
    as_json("/captures/sess_a", {"caseId": "sess_a", "odd": "\udcff"})
    told = sessions.end(CAPTURED, str(tmp_path / "out.json"))
    assert "Captured 1 trace: captures/sess_a.case.json" in told
    assert json.loads((tmp_path / "out.json").read_text())["caseId"] == "sess_a"
    assert "--replay-case sess_a" in sessions.end(CAPTURED)
    with pytest.raises(ClientError, match="cannot be written"):
        sessions.end(CAPTURED, str(tmp_path / "no" / "such" / "folder"))


def test_what_goes_wrong_at_the_start_has_an_exit_code_of_its_own(local_server, as_json, monkeypatch, capsys):
    monkeypatch.setenv("PHAROS_URL", local_server.url)
    monkeypatch.setenv("PHAROS_API_KEY", "k3y")
    for status, code in ((401, 3), (403, 3), (500, 5)):
        as_json("/meta", {"error": "x", "message": "said so"}, status)
        assert main.main([]) == code
        assert "said so" in capsys.readouterr().err
    for odd in ("<html>", [], {"mode": "capture"}):
        as_json("/sessions", odd)
        assert main.main(["--capture"]) == 5
        assert "is this the address of Pharos?" in capsys.readouterr().err
    monkeypatch.setenv("PHAROS_URL", "http://127.0.0.1:1")
    assert main.main(["--capture"]) == 5
    assert main.main(["--session", "a/b"]) == 2
