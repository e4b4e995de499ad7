"""What scripts find and may change (contract: load testing §15.1, §15.2)."""

from loadtest.scripting.facts import Limits, Request, Response


def said(run, script, **more):
    outcome = run(script, **more)
    assert outcome.error is None, outcome.error
    return outcome.console


def entry(value, **more):
    return {"value": value, "enabled": True, "secret": False} | more


def test_the_wrapper(run):
    assert said(run, "console.log(1); return; console.log(2)") == ("1",)
    assert said(run, "console.log(3) // at the end") == ("3",)
    assert said(run, "\n\n") == ()
    assert run("foo(").error.startswith("SyntaxError")
    assert run("foo()").error == "ReferenceError: foo is not defined"
    assert said(
        run, "const a = {b: {c: 1}}; console.log(a?.b?.c ?? 2, 2n ** 64n, [1, [2]].flat(), 'aa'.replaceAll('a', 'b'))"
    ) == ("1 18446744073709551616 [\n  1,\n  2\n] bb",)


def test_console(run):
    script = """
    console.log('a', 1, true, null, undefined); console.info({a: [1]}); console.warn(new TypeError('t'));
    console.error(() => 1);
    const c = {}; c.c = c; console.log(c, 1n, Symbol('s'), {n: 1n});
    """
    assert said(run, script) == (
        "a 1 true null undefined",
        '{\n  "a": [\n    1\n  ]\n}',
        "TypeError: t",
        "() => 1",
        "[Object: unserializable] 1 Symbol(s) [Object: unserializable]",
    )
    assert said(run, script, limits=Limits(console=False)) == ()


def test_response(run):
    script = """
    const r = pm.response;
    console.log(r.code, r.status, r.reason(), r.responseTime, r.responseTimeWire, r.responseTimeQueueWait);
    console.log(r.headers['x-rate'], r.headers['X-Rate'], r.headers.get('X-RATE'), r.headers.has('x-RATE'),
      r.headers.has('no'));
    console.log(Object.keys(r.headers).join(), JSON.stringify(r.headers.toObject()));
    console.log(r.text() === r.body, r.json().id, JSON.stringify(r.size()), r.errorCode);
    console.log(responseBody === r.body, responseCode.code, responseTime);
    """
    assert said(run, script) == (
        "200 200 OK 12.5 12 0.5",
        "9, 8 undefined 9, 8 true false",
        'content-type,x-rate {"content-type":"application/json; charset=utf-8","x-rate":"9, 8"}',
        'true 7 {"body":81,"header":120,"total":201} undefined',
        "true 200 12.5",
    )


def test_a_response_without_json(run):
    outcome = run("pm.response.json()", response=Response(code=200, text="<p>"))
    assert outcome.error == "TypeError: Response body is not valid JSON"


def test_no_response(run, before):
    failed = Response(code=0, reason="Error", error_code="TIMEOUT", error_message="too late")
    script = "console.log(pm.response.code, pm.response.reason(), pm.response.errorCode, pm.response.errorMessage)"
    assert said(run, script, response=failed) == ("0 Error TIMEOUT too late",)
    assert said(before, "console.log(typeof pm.response, typeof responseBody)") == ("undefined undefined",)


RESPONSE_HOLDS = (
    """
to.have.status(200); to.have.status('OK'); to.have.header('X-Rate'); to.have.header('x-rate', '9, 8'); to.be.ok
to.be.success; to.be.json; to.be.withBody; to.have.body(); to.have.body(/Ada/); to.have.body(pm.response.text())
to.have.jsonBody(); to.have.jsonBody('name'); to.have.jsonBody('name', 'Ada')
to.have.jsonBody('inner.list[0].deep', true)
to.have.jsonBody('tags', ['a', 'b']); to.have.jsonBody(pm.response.json()); to.not.have.jsonBody('nothing')
to.not.be.error; to.not.be.accepted; to.not.have.status(404); to.be.ok(); to.not.be.notFound()
to.not.have.header('nothing')
""".replace("\n", "; ")
    .strip("; ")
    .split("; ")
)


def test_response_assertions(run):
    outcome = run("\n".join(f"pm.test({words!r}, () => pm.response.{words});" for words in RESPONSE_HOLDS))
    assert [test for test in outcome.tests if not test["passed"]] == []
    assert len(outcome.tests) == len(RESPONSE_HOLDS) > 15


def test_response_assertions_that_fail(run):
    words = {
        "to.have.status(201)": "to have the status 201 but got 200",
        "to.have.status('Created')": "to have the status 'Created' but got 'OK'",
        "to.not.have.status(200)": "not to have the status 200 but got 200",
        "to.be.notFound": "to have the status 404 but got 200",
        "to.be.clientError": "to have a status from 400 to 499 but got 200",
        "to.have.header('x-no')": "to have the header 'x-no'",
        "to.have.header('x-rate', '1')": "to have the header 'x-rate' of '1' but got '9, 8'",
        "to.have.jsonBody('id', 8)": "to have 8 at 'id' of the JSON body but got 7",
        "to.bee.ok": "Error: Unknown word in an assertion: 'bee'",
        "to.be.okay": "Error: Unknown word in an assertion: 'okay'",
        "to.equal(1)": "Error: Unknown word in an assertion: 'equal'",
    }
    outcome = run("\n".join(f"pm.test('t', () => pm.response.{one});" for one in words))
    for test, end in zip(outcome.tests, words.values(), strict=True):
        assert not test["passed"]
        assert test["error"].endswith(end)


CODES = {
    "info": 100, "ok": 200, "success": 204, "accepted": 202, "redirection": 302, "badRequest": 400, "unauthorized": 401,
    "forbidden": 403, "notFound": 404, "rateLimited": 429, "clientError": 418, "serverError": 503, "error": 500,
}  # fmt: skip


def test_response_classes(run):
    for word, code in CODES.items():
        outcome = run(f"pm.test('is', () => pm.response.to.be.{word})", response=Response(code=code))
        assert outcome.tests[0]["passed"], word


def test_a_request_is_changed_before_it_is_sent(before):
    outcome = before(
        "const r = pm.request; r.method = 'PUT'; r.url += '?x=1'; r.body = JSON.stringify({b: 2});"
        "r.headers.upsert({key: 'accept', value: 'text/html'}); r.headers.add({key: 'X-Two', value: 2});"
        "r.headers['X-Three'] = '3'; r.headers.remove('x-one');"
        "console.log(r.headers['accept'], r.headers.get('X-TWO'), r.headers.has('x-one'));"
        "console.log(Object.keys(r.headers).join())"
    )
    headers = (("Accept", "text/html"), ("X-Two", "2"), ("X-Three", "3"))
    assert outcome.request == Request("PUT", "http://target.example/things?x=1", headers, '{"b":2}')
    assert outcome.console == ("text/html 2 false", "Accept,X-Two,X-Three")


def test_headers_and_bodies_may_be_replaced(before):
    outcome = before("pm.request.headers = {A: 1}; pm.request.body = {mode: 'form', fields: [{key: 'a', value: 'b'}]}")
    assert outcome.request.headers == (("A", "1"),)
    assert outcome.request.body == {"mode": "form", "fields": [{"key": "a", "value": "b"}]}
    assert before("pm.request.body = {a: 1}").request.body == '{"a":1}'
    given = Request("POST", "http://x/", (), {"type": "json", "content": "{}"})
    assert before("pm.request.body.content = '[]'", request=given).request.body == {"type": "json", "content": "[]"}


def test_an_untouched_request_is_not_told(before):
    assert before("pm.request.url; pm.request.headers.get('accept'); pm.environment.set('a', 1)").request is None


def test_a_sent_request_is_a_record(run):
    outcome = run(
        "const r = pm.request; r.url = 'x'; r.headers.a = 1; delete r.headers.Accept;"
        "console.log(r.method, r.url, r.body, JSON.stringify(r.headers)); r.headers.add({key: 'b', value: 'c'})"
    )
    assert outcome.console == ('POST http://target.example/things {"a": 1} {"Accept":"text/plain","X-One":"1"}',)
    assert outcome.error == "TypeError: The request was sent: a test script cannot change it"
    assert outcome.request is None


SCOPES = {
    "environment": {"a": entry("env"), "n": entry("4.5", type="number"), "off": entry("x", enabled=False)},
    "collections": [{"a": entry("near"), "b": entry("near"), "c": entry("x", enabled=False)}, {"c": entry("far")}],
    "globals": {"a": entry("global"), "g": entry("true", type="boolean"), "j": entry('{"k": [1]}', type="json")},
}


def test_variables_are_read(run):
    script = """
    const show = (...values) => console.log(values.map((v) => `${typeof v}:${v}`).join(' '));
    show(pm.environment.get('a'), pm.environment.get('n'), pm.environment.get('off'), pm.environment.has('off'));
    show(pm.collectionVariables.get('b'), pm.collectionVariables.get('c'), pm.globals.get('g'),
      pm.globals.get('j').k[0]);
    show(pm.variables.get('a'), pm.variables.get('b'), pm.variables.get('g'), pm.variables.get('no'),
      pm.variables.has('c'));
    console.log(JSON.stringify(pm.environment.toObject()), JSON.stringify(pm.collectionVariables.toObject()));
    console.log(JSON.stringify(pm.variables.toObject()));
    """
    assert said(run, script, **SCOPES) == (
        "string:env number:4.5 undefined:undefined boolean:false",
        "string:near string:far boolean:true number:1",
        "string:env string:near boolean:true undefined:undefined boolean:true",
        '{"a":"env","n":4.5} {"a":"near","b":"near","c":"far"}',
        '{"a":"env","g":true,"j":{"k":[1]},"b":"near","c":"far","n":4.5}',
    )


def test_variables_are_set(run):
    outcome = run(
        "pm.environment.set('new', {x: 1}); pm.environment.set('n', 5); pm.environment.unset('a');"
        "pm.environment.unset('no');"
        "pm.collectionVariables.set('c', true); pm.globals.clear(); pm.globals.set('late', null);"
        "const { environment: e } = pm; console.log(e.get('new'), e.get('n') + 1, e.has('a'), pm.globals.has('g'))",
        **SCOPES,
    )
    assert outcome.console == ('{"x":1} 6 false false',)
    assert outcome.environment == {"new": '{"x":1}', "n": "5", "a": None}
    assert outcome.collection == {"c": "true"}
    assert outcome.globals == {"a": None, "g": None, "j": None, "late": "null"}


def test_only_what_is_touched_is_told(run):
    outcome = run(
        "pm.environment.get('a'); pm.variables.set('x', 1); pm.environment.set('t', 1); pm.environment.unset('t')",
        **SCOPES,
    )
    assert (outcome.environment, outcome.collection, outcome.globals) == ({"t": None}, {}, {})


def test_scopes_without_a_place_ignore_writes(run):
    outcome = run(
        "pm.environment.set('a', 1); pm.collectionVariables.set('b', 1);"
        "console.log(pm.environment.get('a'), pm.environment.has('a'))",
        environment=None,
    )
    assert (outcome.error, outcome.console) == (None, ("undefined false",))
    assert (outcome.environment, outcome.collection) == ({}, {})


def test_local_variables(run):
    outcome = run(
        "console.log(pm.variables.get('given'), pm.variables.get('a')); pm.variables.set('a', 1);"
        "pm.variables.set('o', {x: 1}); const { variables: v } = pm; v.unset('given');"
        "console.log(v.get('a'), pm.environment.get('a'), v.has('given'))",
        local={"given": "g"},
        **SCOPES,
    )
    assert outcome.console == ("g env", "1 env false")
    assert outcome.local == {"a": "1", "o": '{"x":1}'}
    assert outcome.environment == {}


def test_texts_are_filled_in(run):
    script = """
    console.log(pm.variables.replaceIn('{{a}} {{ n }} {{off}} {{no}} {{}} {{$no}} {{j}}'));
    console.log(pm.variables.replaceIn('{{$guid}}').length)
    """
    assert said(run, script, **SCOPES) == ('env 4.5 {{off}} {{no}} {{}} {{$no}} {"k":[1]}', "36")


def test_info(run, before):
    script = "const i = pm.info; console.log(i.eventName, i.requestId, i.requestName, i.iteration, i.iterationCount)"
    about = {"request_id": "req_1", "request_name": "Ada", "iteration": 2, "iteration_count": 5}
    assert said(run, script, **about) == ("test req_1 Ada 2 5",)
    assert said(before, script, **about) == ("prerequest req_1 Ada 2 5",)


def test_digests_and_base64(run):
    script = "console.log(pm.crypto.sha256('abc'), pm.crypto.hmacSha256('data', 'key'), btoa('a:b'), atob('YTpi'))"
    assert said(run, script) == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad "
        "5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0 YTpi a:b",
    )


def test_older_names(run):
    outcome = run(
        "tests['is ok'] = responseCode.code === 200; tests['is not'] = false;"
        "tests['twice'] = false; tests['twice'] = 1;"
    )
    assert outcome.tests == (
        {"name": "is ok", "passed": True},
        {"name": "is not", "passed": False, "error": "AssertionError: not true"},
        {"name": "twice", "passed": True},
    )


def test_what_was_done_before_an_error_is_kept(run):
    outcome = run("pm.test('a', () => {}); console.log('b'); pm.environment.set('c', 1); throw new Error('d')")
    assert outcome.tests == ({"name": "a", "passed": True},)
    assert (outcome.console, outcome.environment, outcome.error) == (("b",), {"c": "1"}, "Error: d")


def test_a_test_without_a_function_fails(run):
    assert run("pm.test('empty')").tests[0]["error"].startswith("TypeError")


def test_chance(run):
    script = "for (let i = 0; i < 500; i++) console.log(Math.random())"
    one, other = ([float(line) for line in said(run, script)] for _ in range(2))
    assert len({*one, *other}) == 1000
    assert all(0 <= value < 1 for value in one)
    assert 0.4 < sum(one) / 500 < 0.6
