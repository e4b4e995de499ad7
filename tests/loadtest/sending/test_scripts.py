"""Scripts and variables around a request (contract: load testing §7, §9.1, §15)."""

import time

import pytest

from tests.support.listener import listening

BASE = "/api/loadtest"


def variables(operator, what, found_id=None):
    rows = operator.get(f"{BASE}/{what}").json()
    row = rows if what == "globals" else next(row for row in rows if row["id"] == found_id)
    return {name: entry["value"] for name, entry in row["variables"].items()}


def scoped(make):
    """An environment, a saved request in two collections, and globals."""
    root = make("collections", name="Root", variables={"where": "top", "deep": "top", "far": "top"})
    near = make("collections", name="Near", parentId=root["id"], variables={"where": "near", "deep": "near"})
    saved = make("requests", collectionId=near["id"], name="The request", method="GET", url="http://x/")
    environment = make(
        "environments", name="E", variables={"where": "environment", "number": {"value": "5", "type": "number"}}
    )
    make("globals", variables={"where": "globals", "g": "globals"})
    return {"requestId": saved["id"], "environmentId": environment["id"]}, near["id"], root["id"]


def test_variables_are_filled_in(send, make, local_server):
    ids, *_ = scoped(make)
    send(
        "/{{where}}/{{deep}}/{{far}}/{{g}}/{{ number }}",
        headers={"X-{{g}}": "{{where}}", "X-Not": "{{unknown}}"},
        **ids,
    )
    [sent] = local_server.requests
    assert sent.path == "/environment/near/top/globals/5"
    assert (sent.headers["x-globals"], sent.headers["x-not"]) == ("environment", "{{unknown}}")


def test_a_script_sets_what_its_own_request_uses(send, make, local_server):
    ids, *_ = scoped(make)
    script = "pm.environment.set('where', 'script'); pm.variables.set('g', 'local'); console.log(pm.info.requestName)"
    got = send(
        "/{{where}}/{{g}}", preRequestScript=script, postRequestScript="console.log(pm.variables.get('g'))", **ids
    )
    assert local_server.requests[0].path == "/script/local"
    assert got["consoleLogs"] == ["[pre] The request", "local"]


def test_only_what_changed_is_written_back(send, make, operator):
    ids, near, root = scoped(make)
    send(
        preRequestScript="pm.environment.set('new', {a: 1}); pm.collectionVariables.set('deep', 'changed');",
        postRequestScript="pm.environment.set('number', 6); pm.environment.unset('where');"
        "pm.globals.set('late', true); pm.variables.set('never', 'kept')",
        **ids,
    )
    assert variables(operator, "environments", ids["environmentId"]) == {"number": "6", "new": '{"a":1}'}
    assert variables(operator, "collections", near) == {"where": "near", "deep": "changed"}
    assert variables(operator, "collections", root)["deep"] == "top"
    assert variables(operator, "globals") == {"where": "globals", "g": "globals", "late": "true"}


@pytest.mark.django_db(transaction=True)
def test_edits_made_meanwhile_are_kept(send, make, operator, local_server):
    ids, *_ = scoped(make)
    environment = ids["environmentId"]
    edited = {"number": "7", "other": "edited"}

    def edit(connection, head):
        operator.post(f"{BASE}/environments", {"id": environment, "variables": edited})
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with listening(edit) as server:
        send(url=server.url(), preRequestScript="pm.environment.set('mine', 1)", **ids)
    assert variables(operator, "environments", environment) == edited | {"mine": "1"}


def test_a_send_without_changes_writes_nothing(send, make, operator):
    ids, *_ = scoped(make)
    before = operator.get(f"{BASE}/environments").json()
    time.sleep(0.01)
    send(preRequestScript="pm.environment.get('where')", postRequestScript="pm.test('t', () => {})", **ids)
    assert operator.get(f"{BASE}/environments").json() == before


def test_writes_without_a_place_are_no_error(send, operator):
    got = send(
        preRequestScript="pm.environment.set('a', 1); pm.collectionVariables.set('b', 2)",
        environmentId="env_unknown",
        requestId="req_unknown",
    )
    assert "preScriptError" not in got
    assert operator.get(f"{BASE}/environments").json() == []


def test_the_request_may_be_changed(send, local_server):
    script = """
    pm.request.method = 'PUT'; pm.request.url += '/more'; pm.request.body = JSON.stringify({now: '{{$timestamp}}'});
    pm.request.headers.upsert({key: 'X-A', value: 'changed'}); pm.request.headers.remove('X-B');
    """
    test = (
        "console.log(pm.request.method, pm.request.headers.get('x-a'), pm.request.headers.has('X-B'), pm.request.body)"
    )
    got = send(
        "/thing",
        headers={"X-A": "1", "X-B": "2"},
        body={"type": "json", "content": "{}"},
        params={"p": "1"},
        preRequestScript=script,
        postRequestScript=test,
    )
    [sent] = local_server.requests
    assert (sent.method, sent.path, sent.headers["x-a"], "x-b" in sent.headers) == (
        "PUT",
        "/thing/more?p=1",
        "changed",
        False,
    )
    assert sent.headers["content-type"] == "application/json"
    assert sent.json()["now"].isdigit()
    assert got["consoleLogs"] == [f"PUT changed false {sent.body.decode()}"]


def test_a_form_may_be_changed(send, local_server):
    form = {"mode": "x-www-form-urlencoded", "fields": [{"key": "a", "value": "1"}]}
    send(method="POST", body=form, preRequestScript="pm.request.body.fields.push({key: 'b', value: 'x y'})")
    assert local_server.requests[0].body == b"a=1&b=x%20y"


def test_results(send, local_server):
    local_server.answer("/r", body='{"id": 1}', headers={"Content-Type": "application/json"}, status=202)
    got = send(
        "/r",
        preRequestScript="console.log('first'); pm.test('early', () => {});",
        postRequestScript="pm.test('status', () => pm.response.to.have.status(202));"
        "pm.test('wrong', () => pm.expect(pm.response.json().id).to.equal(2));"
        "pm.test('times', () => pm.expect(pm.response.responseTime).to.be.at.least(pm.response.responseTimeWire));"
        "console.log(pm.response.reason(), pm.response.headers['content-type']); nonsense()",
    )
    assert got["testResults"] == [
        {"name": "early", "passed": True},
        {"name": "status", "passed": True},
        {"name": "wrong", "passed": False, "error": "AssertionError: expected 1 to equal 2"},
        {"name": "times", "passed": True},
    ]
    assert got["consoleLogs"] == ["[pre] first", "Accepted application/json"]
    assert got["postScriptError"] == "ReferenceError: nonsense is not defined"
    assert "preScriptError" not in got


def test_a_failing_script_does_not_stop_the_send(send, local_server):
    got = send(
        preRequestScript="pm.environment.set('a', 1); throw new Error('early')",
        postRequestScript="console.log('still')",
    )
    assert (got["preScriptError"], got["statusCode"], got["consoleLogs"]) == ("Error: early", 200, ["still"])


def test_an_endless_script_ends(send, api, local_server):
    api("ADMIN").post(f"{BASE}/config", {"scriptTimeout": 100})
    got = send(preRequestScript="for (;;);", postRequestScript="pm.test('a', () => {}); for (;;);")
    assert got["preScriptError"] == got["postScriptError"] == "Script timed out after 100 ms"
    assert got["testResults"] == [{"name": "a", "passed": True}]
    assert len(local_server.requests) == 1


def test_settings_of_scripts_hold(send, api):
    api("ADMIN").post(f"{BASE}/config", {"scriptEnableConsole": False, "scriptMemoryLimit": 1 << 20})
    got = send(preRequestScript="console.log(1)", postRequestScript="'x'.repeat(5e6)")
    assert (got["consoleLogs"], got["postScriptError"]) == ([], "Script exceeded its memory limit")


def test_a_test_script_runs_without_a_response(send):
    script = "console.log(pm.response.code, pm.response.errorCode, pm.response.errorMessage, pm.response.text() === '')"
    got = send(url="http://name.invalid/", postRequestScript=script)
    assert got["consoleLogs"] == [f"0 DNS_ERROR {got['errorMessage']} true"]


def test_stored_scripts_are_not_pulled_in(send, make):
    collection = make("collections", name="C", preRequestScript="console.log('collection')")
    saved = make(
        "requests",
        collectionId=collection["id"],
        name="R",
        method="GET",
        url="http://x/",
        preRequestScript="console.log('stored')",
    )
    assert send(requestId=saved["id"])["consoleLogs"] == []
