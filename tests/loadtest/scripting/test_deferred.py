"""Tests over sampled responses (contract: load testing §14.8)."""

from loadtest.scripting.deferred import validate
from loadtest.scripting.facts import Limits, Response

from .conftest import facts

TWO = "pm.test('good', () => pm.response.to.be.ok); pm.test('bad', () => pm.expect(pm.response.json().id).to.equal(0));"


def samples(count, code=200):
    return [Response(code=code, text=f'{{"id": {number + 1}}}') for number in range(count)]


def checked(text, given, **more):
    return validate(text, given, facts(environment={"e": {"value": "1", "enabled": True}}), Limits(**more))


def test_each_test_of_each_sample_counts():
    found = checked(TWO, samples(40))
    assert (found["samplesTested"], found["testsPassed"], found["testsFailed"]) == (40, 40, 40)
    assert (found["successRate"], found["samplesLeft"]) == (50.0, 0)
    assert found["failures"] == [f"bad: AssertionError: expected {number} to equal 0" for number in range(1, 11)]


def test_a_script_without_tests_counts_once():
    assert checked("pm.response.json()", samples(3))["testsPassed"] == 3
    found = checked("throw new Error('no')", samples(3))
    assert (found["testsPassed"], found["testsFailed"], found["failures"]) == (0, 3, ["Error: no"] * 3)


def test_a_script_that_throws_after_a_test_counts_both():
    found = checked("pm.test('a', () => {}); throw new Error('no')", samples(2))
    assert (found["testsPassed"], found["testsFailed"]) == (2, 2)


def test_scopes_are_readable_and_samples_apart():
    script = "pm.test('env', () => pm.expect(pm.environment.get('e')).to.equal('1')); pm.environment.set('e', '2');"
    assert checked(script, samples(3))["testsPassed"] == 3
    script = "pm.test('n', () => pm.expect(pm.info.iteration + 1).to.equal(pm.response.json().id))"
    assert checked(script, samples(3))["testsPassed"] == 3


def test_nothing_to_do_is_no_section():
    assert checked(" ", samples(1)) is None
    assert checked(TWO, []) is None


def test_samples_without_time_are_told():
    found = validate("for (;;);", samples(50), facts(), Limits(timeout_ms=100), budget_s=0.35)
    assert 2 <= found["samplesTested"] <= 4
    assert found["samplesTested"] + found["samplesLeft"] == 50
    assert found["testsFailed"] == found["samplesTested"]
    assert found["failures"][0] == "Script timed out after 100 ms"
