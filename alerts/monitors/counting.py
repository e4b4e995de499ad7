"""What an outcome does to a monitor's alert: plain rules, no database (contract: monitors §6)."""

from dataclasses import dataclass, replace
from enum import Enum

WINDOW = 10  # counted runs that flapping is judged by
CHANGES = 5  # good/bad changes among them that make a monitor flap
CALM = 3  # good runs in a row that end flapping


class Step(Enum):
    """What is to be done with the monitor's alert."""

    NOTHING = "nothing"
    OPEN = "open"
    REPEAT = "repeat"  # one more bad run of the open alert
    START_FLAPPING = "start flapping"  # open one, or make the open one of that type
    STOP_FLAPPING = "stop flapping"
    RESOLVE = "resolve"


@dataclass(frozen=True)
class Tally:
    """What has been counted: the newest outcomes, oldest first, `g` good and `b` bad."""

    outcomes: str = ""
    bad_in_row: int = 0
    good_in_row: int = 0
    flapping: bool = False


def count(tally: Tally, *, good: bool, is_open: bool, alert_after: int, recover_after: int) -> tuple[Tally, Step]:
    """The tally after one more run and what follows; `is_open`: the monitor has an alert that is not over.

    Flapping is judged first: the run that makes the fifth change neither resolves nor opens an ordinary alert.
    """
    tally = replace(
        tally,
        outcomes=(tally.outcomes + ("g" if good else "b"))[-WINDOW:],
        bad_in_row=0 if good else tally.bad_in_row + 1,
        good_in_row=tally.good_in_row + 1 if good else 0,
    )
    if tally.flapping:
        if tally.good_in_row >= CALM:
            return Tally(), Step.STOP_FLAPPING
        return tally, Step.NOTHING if good else Step.REPEAT if is_open else Step.START_FLAPPING
    if changes(tally.outcomes) >= CHANGES:
        return replace(tally, flapping=True), Step.START_FLAPPING
    if good:
        over = is_open and tally.good_in_row >= recover_after
        return tally, Step.RESOLVE if over else Step.NOTHING
    if is_open:
        return tally, Step.REPEAT
    return tally, Step.OPEN if tally.bad_in_row >= alert_after else Step.NOTHING


def changes(outcomes: str) -> int:
    """How often neighbours differ."""
    return sum(before != after for before, after in zip(outcomes, outcomes[1:], strict=False))
