"""What the run of a request sent by hand keeps, and what it hides (contract: load testing §9.1, §13, §14)."""

import json

from loadtest.runs.models import Run

BASE = "/api/loadtest"


def test_the_run(send, operator, local_server):
    local_server.answer("/r", body="answer", status=404)
    got = send("/r", method="POST", body="question", requestId="req_unknown", headers={"X-A": "1"})
    run = Run.objects.get(pk=got["runId"])
    assert (run.kind, run.status, run.request_id, run.message) == ("design", "completed", "req_unknown", "")
    assert run.started_at <= run.ended_at
    result = run.result
    assert (result["statusCode"], result["statusText"], result["latencyMs"]) == (
        404,
        "Not Found",
        got["timing"]["total"],
    )
    trace = result["trace"]
    assert (trace["request"]["method"], trace["request"]["url"]) == ("POST", f"{local_server.url}/r")
    assert (trace["request"]["headers"]["X-A"], trace["request"]["body"]) == ("1", "question")
    assert trace["response"]["body"] == "answer"
    assert trace["firstByteMs"] == got["timing"]["firstByte"]
    report = operator.get(f"{BASE}/run/{got['runId']}/report").json()
    assert report["statusCodes"] == {"404": 1}
    assert report["results"][0]["trace"]["response"]["body"] == "answer"


def test_a_failed_run(send, operator):
    got = send(url="http://name.invalid/")
    report = operator.get(f"{BASE}/run/{got['runId']}/report").json()
    assert report["errors"]["types"] == {"dns_failed": 1}
    assert report["results"][0]["error"] == got["errorMessage"]


def test_large_bodies_are_cut(send, local_server):
    local_server.answer("/large", body="x" * 100_000)
    got = send("/large", method="POST", body="y" * 100_000)
    assert len(got["body"]) == 100_000
    trace = Run.objects.get(pk=got["runId"]).result["trace"]
    for part in (trace["request"], trace["response"]):
        assert (len(part["body"]), part["bodyTruncated"]) == (65536, True)


def test_binary_bodies_are_kept_in_base64(send, local_server):
    local_server.answer("/b", body=b"\0\1" * 50_000, headers={"Content-Type": "image/png"})
    trace = Run.objects.get(pk=send("/b")["runId"]).result["trace"]
    assert (trace["response"]["bodyBase64"], trace["response"]["bodyTruncated"]) == (True, True)
    assert len(trace["response"]["body"]) == 65536


def test_secrets_are_not_kept(send, make, local_server):
    secret = "hush-hush-5"
    environment = make("environments", name="E", variables={"key": {"value": secret, "secret": True}})
    local_server.answer("/echo", body=f"you said {secret}", headers={"Set-Cookie": "session=abc123"})
    got = send(
        "/echo?api_key={{key}}",
        environmentId=environment["id"],
        headers={"X-Own": "{{key}}", "Authorization": "Bearer by-hand-9"},
        auth={"mode": "apikey", "key": "X-Key", "value": "in-auth-7"},
        body={"type": "text", "content": "{{key}}"},
        method="POST",
    )
    sent = local_server.requests[0]
    assert (sent.headers["x-own"], sent.headers["x-key"], sent.body.decode()) == (secret, "in-auth-7", secret)
    run = Run.objects.get(pk=got["runId"])
    stored = json.dumps([run.config, run.result, run.message])
    for text in (secret, "by-hand-9", "in-auth-7", "abc123"):
        assert text not in stored


def test_a_secret_set_by_a_script_is_not_kept(send, make, local_server):
    environment = make("environments", name="E", variables={"key": {"value": "old-secret", "secret": True}})
    got = send("/{{key}}", environmentId=environment["id"], preRequestScript="pm.environment.set('key', 'new-secret')")
    assert local_server.requests[0].path == "/new-secret"
    assert "new-secret" not in json.dumps(Run.objects.get(pk=got["runId"]).result)


def test_texts_that_a_database_cannot_hold(send, local_server):
    local_server.answer("/nul", body=b"a\0b", headers={"Content-Type": "text/plain"})
    script = "pm.environment.set('a', 'b\\0\\ud800'); throw new Error('c\\0\\ud800')"
    got = send(
        "/nul", method="POST", body="q\0\ud800", params={"p\0": "\ud800"}, headers={"X-A": "ü"}, preRequestScript=script
    )
    assert got["body"] == "a\0b"
    assert Run.objects.get(pk=got["runId"]).result["trace"]["response"]["body"] == "a\N{SYMBOL FOR NULL}b"
