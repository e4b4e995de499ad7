"""Scripts that tamper with what results are made of: the results stay readable, and their own."""

import pytest

from loadtest.scripting.facts import Limits, Response

TAMPERED = {
    "JSON": "JSON.stringify = () => 'no'; JSON.parse = () => null;",
    "toJSON of objects": "Object.prototype.toJSON = () => 'forged';",
    "toJSON of texts": "String.prototype.toJSON = () => 'forged'; Array.prototype.toJSON = () => 'forged';",
    "array methods": "for (const n of ['push', 'map', 'join']) Array.prototype[n] = () => { throw new Error('no'); };",
    "setters": "Object.defineProperty(Object.prototype, 'passed', { set() { throw new Error('no'); } });",
    "index setters": "Object.defineProperty(Array.prototype, '0', { set() { throw new Error('no'); } });",
    "String": "String = () => 'forged';",
    "prototype of functions": "Function.prototype.call = Function.prototype.apply = () => { throw new Error('no'); };",
    "stack traces": "Error.prepareStackTrace = () => { throw new Error('no'); };",
    "console": "console.log = console = null;",
    "names": "var tell, host, finish, run, cut; tell = host = finish = run = cut = null;",
    "polluted": '({}).__proto__.polluted = 1; JSON.parse(\'{"__proto__": {"x": 1}}\');',
    "promises": "Promise.prototype.then = () => { throw new Error('no'); };",
}


@pytest.mark.parametrize("trick", TAMPERED.values(), ids=TAMPERED)
def test_results_stay_readable(run, trick):
    outcome = run(f"{trick} pm.test('good', () => {{}}); pm.test('bad', () => {{ throw new TypeError('why'); }});")
    assert outcome.error is None
    assert outcome.tests == (
        {"name": "good", "passed": True},
        {"name": "bad", "passed": False, "error": "TypeError: why"},
    )


@pytest.mark.parametrize(
    "thrown", ["null", "undefined", "Symbol('s')", "Object.create(null)", "42n", "() => {}", "NaN"]
)
def test_anything_may_be_thrown(run, thrown):
    outcome = run(f"pm.test('t', () => {{ throw {thrown}; }}); throw {thrown};")
    assert isinstance(outcome.error, str)
    assert isinstance(outcome.tests[0]["error"], str)


def test_names_may_be_anything(run):
    outcome = run(
        "for (const name of [undefined, null, 1, {}, Symbol('s'), '\\ud800', '\\u0000', 'ü✓']) pm.test(name, () => {})"
    )
    assert [test["name"] for test in outcome.tests][:5] == ["undefined", "null", "1", "[object Object]", "Symbol(s)"]
    assert len(outcome.tests) == 8


def test_variables_may_have_any_name(run):
    names = ["__proto__", "constructor", "toString", ""]
    outcome = run(
        f"for (const n of {names}) pm.environment.set(n, 'v'); console.log(pm.environment.toObject().toString)"
    )
    assert outcome.environment == dict.fromkeys(names, "v")
    assert outcome.console == ("v",)


def test_a_name_without_control_characters(run):
    outcome = run("pm.environment.set('a\\0', 1)")
    assert outcome.error == "TypeError: The name of a variable holds a control character"


def test_halves_of_characters_stay_inside(run):
    outcome = run(
        "pm.globals.set('\\ud800', '\\ud83d\\ude00 \\ud83d'); console.log('\\udc00'); throw new Error('\\ud800')"
    )
    assert (outcome.globals, outcome.console, outcome.error) == ({"?": "😀 ?"}, ("?",), "Error: ?")


def test_headers_may_have_any_name(run):
    headers = (("__proto__", "p"), ("constructor", "c"), ("get", "g"), ("tojson", "j"))
    script = "const h = pm.response.headers; console.log(h.get('__proto__'), h.constructor, h.get('get'))"
    assert run(script, response=Response(code=200, headers=headers)).console == ("p c g",)


def test_outputs_are_cut(run):
    outcome = run(
        "for (let i = 0; i < 5000; i++) console.log('line', i);"
        "for (let i = 0; i < 5000; i++) pm.test('t' + i, () => {});"
        "pm.test('long'.repeat(1e5), () => { throw new Error('e'.repeat(1e6)); });"
    )
    assert len(outcome.console) == 1002
    assert outcome.console[1000] == "[The rest of the console output was cut]"
    assert outcome.console[1001] == "[Only the first 1000 tests of a script are recorded]"
    assert len(outcome.tests) == 1000


def test_long_texts_are_cut(run):
    outcome = run(
        "console.log('x'.repeat(200000)); console.log('y'.repeat(200000)); console.log('z');"
        "pm.test('n'.repeat(5000), () => { throw new Error('e'.repeat(50000)); });"
    )
    assert [len(line) for line in outcome.console[:2]] == [200000, 62144]
    assert outcome.console[2:] == ("[The rest of the console output was cut]",)
    assert len(outcome.tests[0]["name"]) == 1000
    assert len(outcome.tests[0]["error"]) == 4000


def test_a_variable_has_a_longest_value(run):
    assert "at most 1048576 characters" in run("pm.globals.set('a', 'x'.repeat(1048577))").error


def test_all_results_together_have_a_bound(run):
    script = "const x = 'x'.repeat(1e6); for (let i = 0; i < 40; i++) pm.globals.set('n' + i, x + i);"
    outcome = run(script, limits=Limits(timeout_ms=20000, memory_bytes=200 << 20))
    assert outcome.error == "Script exceeded its memory limit"
    assert outcome.globals == {}


def test_a_body_too_large_for_a_script_is_told(run):
    large = Response(code=200, text="x" * 400_000, body_size=400_000)
    outcome = run(
        "pm.test('status', () => pm.response.to.have.status(200)); pm.response.text()",
        response=large,
        limits=Limits(memory_bytes=1 << 20),
    )
    assert outcome.tests[0]["passed"]
    assert outcome.error == "RangeError: The body of 400000 bytes is too large for a script"


def test_a_large_body_is_read(run):
    text = '{"a": "' + "ü" * 2_000_000 + '"}'
    outcome = run(
        "console.log(pm.response.json().a.length, pm.response.text().length)", response=Response(code=200, text=text)
    )
    assert outcome.console == ("2000000 2000009",)
