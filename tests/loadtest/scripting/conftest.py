"""Scripts run for tests."""

from collections.abc import Callable
from typing import Any

import pytest

from loadtest.scripting.facts import PRE_REQUEST, TEST, Facts, Limits, Outcome, Request, Response
from loadtest.scripting.sandbox import run_script

BODY = '{"id": 7, "name": "Ada", "tags": ["a", "b"], "inner": {"list": [{"deep": true}]}}'
REQUEST = Request("POST", "http://target.example/things", (("Accept", "text/plain"), ("X-One", "1")), '{"a": 1}')
RESPONSE = Response(
    code=200,
    reason="OK",
    headers=(("content-type", "application/json; charset=utf-8"), ("x-rate", "9, 8")),
    text=BODY,
    time_ms=12.5,
    wire_ms=12.0,
    queue_wait_ms=0.5,
    body_size=len(BODY),
    header_size=120,
)


def facts(event: str = TEST, **more: Any) -> Facts:
    """A test script after a good answer, unless said otherwise."""
    given = {"request": REQUEST, "response": RESPONSE if event == TEST else None, "environment": {}}
    return Facts(event=event, **(given | more))


@pytest.fixture
def run() -> Callable[..., Outcome]:
    """`run(script, environment={...}, limits=Limits(...))` is what the test script did."""

    def script(text: str, *, limits: Limits | None = None, **more: Any) -> Outcome:
        return run_script(text, facts(**more), limits or Limits())

    return script


@pytest.fixture
def before(run: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """The same for a pre-request script."""
    return lambda text, **more: run(text, event=PRE_REQUEST, **more)


@pytest.fixture
def verdict(run: Callable[..., Outcome]) -> Callable[[str], str | None]:
    """`verdict("pm.expect(1).to.equal(1)")` is None when it holds, else the text of the failure."""

    def of(assertion: str) -> str | None:
        outcome = run(f"pm.test('it', () => {{ {assertion} }});")
        assert outcome.error is None, outcome.error
        [test] = outcome.tests
        assert test["passed"] == ("error" not in test)
        return test.get("error")

    return of
