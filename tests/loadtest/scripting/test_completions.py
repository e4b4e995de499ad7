"""What the editor offers is there (contract: load testing §15.6)."""

import re

import pytest

from loadtest.scripting.completions import completions
from loadtest.scripting.facts import Response

ITEMS = {item["label"]: item for item in completions()["completions"]}
NAMES = [label for label, item in ITEMS.items() if item["kind"] != 28]


def test_the_list(api):
    answer = api("VIEWER").get("/api/loadtest/scripting/completions")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["version"], body["engine"]) == ("1.0.0", "quickjs")
    assert body["completions"] == list(ITEMS.values())


def test_it_needs_a_reader(api):
    answer = api(None).get("/api/loadtest/scripting/completions")
    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]


def test_the_names_of_the_contract_are_listed():
    words = "equal eql above least below most within closeTo a an include property keys members oneOf length match not"
    expected = {
        "pm",
        "pm.test",
        "pm.expect",
        "console.log",
        "console.error",
        "pm.environment.set",
        "pm.variables.replaceIn",
    }
    expected |= {f"to.{word}" for word in words.split()}
    expected |= {
        "pm.response.to.have.status",
        "pm.response.to.be.ok",
        "pm.response.responseTime",
        "pm.request.headers.add",
    }
    assert expected <= set(ITEMS)


def test_items_have_their_fields():
    for item in ITEMS.values():
        assert item["kind"] in (1, 3, 4, 28)
        assert item["insertText"] and item["detail"] and item["documentation"]
        assert re.match(r"[0-3]_", item["sortText"])
        assert ("insertTextRules" in item) == ("$" in item["insertText"])
        assert ("filterText" in item) == item["sortText"].startswith("2_")


def test_every_name_exists_in_the_sandbox(run):
    """Read each; a missing member gives undefined, an unknown word of an assertion throws."""
    failed = Response(code=0, error_code="TIMEOUT", error_message="too late", headers=(), text="")
    script = "".join(
        f"try {{ check({label!r}, () => {target(label)}); }} catch (e) {{ check({label!r}, () => undefined); }}"
        for label in NAMES
    )
    outcome = run(
        "const check = (name, read) => { let found;"
        " try { found = read(); } catch (e) { if (e.name === 'AssertionError') found = e; }"
        " if (found === undefined) console.log(name); };" + script,
        response=failed,
    )
    assert (outcome.error, outcome.console) == (None, ())


def target(label: str) -> str:
    return f"pm.expect([]).{label}" if label.startswith("to.") else label


def test_a_name_that_does_not_exist_would_be_found(run):
    assert run("pm.expect([]).to.nothing").error
    assert run("console.log(typeof pm.response.nothing)").console == ("undefined",)


@pytest.mark.parametrize("label", [label for label, item in ITEMS.items() if item["kind"] == 28])
def test_snippets_run(run, label):
    text = re.sub(r"\$\{\d+:([^}]*)\}|\$\d", lambda found: found[1] or "", ITEMS[label]["insertText"])
    response = Response(code=200, headers=(("content-type", "application/json"),), text='{"id": 1, "token": "t"}')
    outcome = run(text, response=response)
    assert outcome.error is None
    assert all(test["passed"] for test in outcome.tests)
