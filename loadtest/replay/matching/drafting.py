"""Rules that a page proposes; a person reads and changes them before they are saved."""

from typing import Any

from loadtest.replay.spans.exchange import Exchange


def mock_for(asked: Exchange) -> dict[str, Any]:
    """A mock of exactly this request line, with an empty JSON object to be filled in as its body."""
    told = {"direction": asked.direction, "method": asked.method.upper(), "host": asked.host, "path": asked.path}
    return {
        "name": f"{asked.method.upper()} {asked.host}{asked.path}"[:200],
        "when": {key: value for key, value in told.items() if value},
        "then": {
            "action": "mock",
            "response": {"status": 200, "headers": {"content-type": "application/json"}, "body": {}},
        },
    }


def replay_of(directions: set[str]) -> dict[str, Any]:
    """The one rule that answers from the case: outbound calls only where the case has any, so that the test's own
    call still reaches the app."""
    when = {"direction": "outbound"} if "outbound" in directions else {}
    return {"name": "Answer as it was captured", "when": when, "then": {"action": "replay"}}
