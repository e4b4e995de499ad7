"""What samples of the last minutes tell about a limit: whether it was passed all the time, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from config import timeseries
from fleet.metrics.models import REALS, SAMPLES

MOST_IDS = 5_000  # parameters of one statement; SQLite takes 32,766
MOST_QUESTIONS = 100  # parts of one statement; SQLite takes 500
LOOK_BACK = timedelta(seconds=60)  # two reports of an agent that speaks each 30 s
COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Question:
    """Samples of `metric` (a column of the samples) since `since`: which do not compare true with `limit`?"""

    metric: str
    operator: str  # gt, gte, lt, lte
    limit: float
    since: datetime
    instance_ids: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """The samples of one instance since `since`, and the newest one before, which tells how the window began."""

    since: datetime
    newest_at: datetime
    first_at: datetime | None
    before_at: datetime | None
    calm_at: datetime | None  # the newest sample that does not compare true

    @property
    def steady(self) -> bool:
        """Whether every sample of the window compares true, and with an empty window the one before it."""
        return self.calm_at is None or (self.calm_at < self.since and self.calm_at != self.newest_at)

    def held_s(self, until: datetime) -> float:
        """For how many seconds the samples of a steady window span; an agent that reports seldom gets its last one
        before the window counted in."""
        calm_before = self.before_at is None or (self.calm_at is not None and self.calm_at >= self.before_at)
        began_at = self.first_at if calm_before else self.before_at
        ended_at = self.newest_at if self.first_at else until
        return (ended_at - began_at).total_seconds() if began_at else 0.0


def ask(questions: Sequence[Question], *, until: datetime) -> list[dict[str, Window]]:
    """For each question the windows by instance id; one that did not report lately is missing.

    One statement for up to 100 questions about 5,000 instances together.
    """
    answers: list[dict[str, Window]] = [{} for _ in questions]
    batch: list[tuple[int, Question]] = []
    size = 0
    for number, question in enumerate(questions):
        for start in range(0, len(question.instance_ids), MOST_IDS):
            part = question.instance_ids[start : start + MOST_IDS]
            if batch and (size + len(part) > MOST_IDS or len(batch) == MOST_QUESTIONS):
                _run(batch, until, answers)
                batch, size = [], 0
            batch.append((number, Question(question.metric, question.operator, question.limit, question.since, part)))
            size += len(part)
    if batch:
        _run(batch, until, answers)
    return answers


def _run(batch: list[tuple[int, Question]], until: datetime, answers: list[dict[str, Window]]) -> None:
    selects, params = [], []
    for number, question in batch:
        column, comparison = question.metric, COMPARISONS[question.operator]
        if column not in REALS:
            raise ValueError(f"{column} is no figure of a sample")
        marks = ", ".join(["%s"] * len(question.instance_ids))
        # The names come from the tables above, every value is a parameter.
        moments = (
            "MAX(ts), MIN(CASE WHEN ts >= %s THEN ts END), MAX(CASE WHEN ts < %s THEN ts END), "
            f"MAX(CASE WHEN NOT ({column} {comparison} %s) THEN ts END)"
        )
        wanted = f"instance_id IN ({marks}) AND ts >= %s AND ts <= %s AND {column} IS NOT NULL"
        selects.append(
            f"SELECT {number:d}, instance_id, {moments} FROM {SAMPLES.name} WHERE {wanted} GROUP BY instance_id"  # noqa: S608
        )
        params += [question.since, question.since, question.limit]
        params += [*question.instance_ids, question.since - LOOK_BACK, until]
    rows = timeseries.rows_of(timeseries.Query(" UNION ALL ".join(selects), params), times=(2, 3, 4, 5))
    for number, instance_id, *found in rows:
        since = next(question.since for place, question in batch if place == number)
        answers[number][instance_id] = Window(since, *found)
