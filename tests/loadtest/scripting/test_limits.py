"""Scripts that mean harm: they end in time, tell what they had done, and harm nobody else."""

import threading
import time

import pytest

from loadtest.scripting.facts import Limits

TIME, MEMORY = "Script timed out after 300 ms", "Script exceeded its memory limit"
STACK = "Maximum call stack size exceeded"
SHORT = Limits(timeout_ms=300)
# Half a minute of time, so that only the memory can end it.
SMALL = Limits(timeout_ms=30_000, memory_bytes=8 << 20)

ENDLESS = {
    "loop": "for (;;);",
    "caught loop": "for (;;) { try { for (;;); } catch (e) {} finally { console.log('f'); } }",
    "regular expression": "/^(a+)+$/.test('a'.repeat(40) + 'b')",
    "nested quantifiers": "/(?:(?:(?:x*)*)*)*y/.test('x'.repeat(40))",
    "long steps": "const s = 'x'.repeat(2e7); for (;;) s.indexOf('zz');",
    "promises": "const next = () => Promise.resolve().then(next); next();",
    "generator": "function* g() { for (;;) yield 1; } for (const x of g()) x;",
    "inside of a test": "pm.test('t', () => { for (;;); });",
    "getter": "pm.environment.set('x', { toJSON() { for (;;); } });",
    "text of an error": "throw { toString() { for (;;); } };",
    "sorting": "[3, 1, 2].sort(() => { for (;;); });",
    "compiled text": "eval('for (;;);')",
}
GREEDY = {
    "texts": "const a = []; for (;;) a.push('x'.repeat(100000) + a.length);",
    "objects": "const a = []; for (;;) a.push({});",
    "one large text": "'x'.repeat(100e6)",
    "one large buffer": "new ArrayBuffer(1e9)",
    "one large array": "new Array(5e7).fill(0)",
    "typed arrays": "const a = []; for (;;) a.push(new Uint8Array(100000));",
    "closures": "let f = () => 1; for (;;) { const g = f; f = () => g; }",
    "map": "const m = new Map(); for (let i = 0; ; i++) m.set(i, i);",
    "joined": "let a = 'x'; for (;;) a = [a, a].join('');",
}
DEEP = {
    "functions": "(function f() { f(); })()",
    "through built-ins": "(function f() { [1].map(f); })()",
    "JSON": "JSON.parse('['.repeat(100000))",
    "source text": "eval('('.repeat(50000))",
    "getters": "const o = { get a() { return this.a; } }; o.a;",
    "proxies": "let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); p.x;",
}


def gathered(script):
    """The script after a line and a test; caught, and followed by a test that must not be reached."""
    before = "console.log('said'); pm.test('kept', () => {});"
    return f"{before} try {{ {script} }} catch (e) {{}} finally {{}} pm.test('lost', () => {{}});"


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
def test_time_ends_a_script(run, script):
    begun = time.monotonic()
    outcome = run(f"pm.test('kept', () => {{}}); {script}", limits=SHORT)
    assert outcome.error == TIME
    assert outcome.tests == ({"name": "kept", "passed": True},)
    assert 0.29 <= time.monotonic() - begun < 10


@pytest.mark.parametrize("script", GREEDY.values(), ids=GREEDY)
def test_memory_ends_a_script(run, script):
    outcome = run(gathered(script), limits=SMALL)
    assert (outcome.error, outcome.console) == (MEMORY, ("said",))
    assert outcome.tests == ({"name": "kept", "passed": True},)


@pytest.mark.parametrize("script", DEEP.values(), ids=DEEP)
def test_stack_ends_a_script(run, script):
    outcome = run(gathered(script))
    assert (outcome.error, outcome.console) == (STACK, ("said",))
    assert outcome.tests == ({"name": "kept", "passed": True},)


def test_a_deeper_stack_allows_more(run):
    script = "console.log((function f(n) { return n ? 1 + f(n - 1) : 0; })(1000))"
    assert run(script, limits=Limits(stack_bytes=64 << 10)).error == STACK
    assert run(script, limits=Limits(stack_bytes=1 << 20)).console == ("1000",)


def test_more_memory_allows_more(run):
    script = "console.log('x'.repeat(20e6).length)"
    assert run(script, limits=SMALL).error == MEMORY
    assert run(script).console == ("20000000",)


def test_a_script_that_was_ended_changes_nothing(run):
    outcome = run("pm.environment.set('a', 1); pm.globals.set('b', 2); for (;;);", limits=SHORT)
    assert (outcome.environment, outcome.globals, outcome.error) == ({}, {}, TIME)


def test_nothing_survives_a_script(run):
    run("globalThis.left = 1; Array.prototype.left = 1; Object.prototype.left = 1; JSON.parse = null; var v = 1;")
    outcome = run("console.log(typeof left, [].left, ({}).left, typeof JSON.parse, typeof v)")
    assert outcome.console == ("undefined undefined undefined function undefined",)


@pytest.mark.parametrize(
    "name", ["require", "process", "fetch", "setTimeout", "WebAssembly", "XMLHttpRequest", "__host"]
)
def test_there_is_no_way_out(run, name):
    assert run(f"console.log(typeof {name})").console == ("undefined",)


def test_modules_cannot_be_loaded(run):
    outcome = run("import('os').then((m) => console.log('loaded'), (e) => console.log('refused'))")
    assert outcome.console == ("refused",)


def test_a_network_call_says_that_there_is_none(run):
    assert "no network" in run("pm.sendRequest('http://x', () => {})").error


def test_other_threads_go_on_meanwhile(run):
    turns, ended = 0, threading.Event()
    worker = threading.Thread(target=lambda: (run("for (;;);", limits=Limits(timeout_ms=600)), ended.set()))
    run("1")  # compiled before the clock runs
    worker.start()
    longest, last = 0.0, time.monotonic()
    while not ended.is_set():
        time.sleep(0.001)
        longest, last, turns = max(longest, time.monotonic() - last), time.monotonic(), turns + 1
    worker.join()
    assert turns > 50
    assert longest < 0.3


def test_scripts_beside_each_other_keep_their_own_time(run):
    took = {}

    def one(milliseconds):
        begun = time.monotonic()
        outcome = run("for (;;);", limits=Limits(timeout_ms=milliseconds))
        took[milliseconds] = (outcome.error, time.monotonic() - begun)

    threads = [threading.Thread(target=one, args=(ms,)) for ms in (200, 400, 600, 800)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for milliseconds, (error, seconds) in took.items():
        assert error == f"Script timed out after {milliseconds} ms"
        assert milliseconds / 1000 - 0.02 <= seconds < milliseconds / 1000 + 1


def test_sandboxes_alive_at_once_are_bounded(run):
    begun = time.monotonic()
    limits = Limits(timeout_ms=200, at_once=1)
    threads = [threading.Thread(target=run, args=("for (;;);",), kwargs={"limits": limits}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun >= 0.6
