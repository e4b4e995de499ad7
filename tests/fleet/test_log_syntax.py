"""The short syntax of searches, and older lines through the API."""

from datetime import UTC, datetime, timedelta

import pytest

from fleet.logs import recording
from fleet.logs.entries import entry
from fleet.logs.models import Level, Source
from fleet.logs.syntax import Asked, parse


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", Asked()),
        ("time  out", Asked(words="time out")),
        ('level:error source:app "time out"', Asked("", ("time out",), (Level.ERROR,), (Source.APP,))),
        ("LEVEL:err,warning x", Asked("x", levels=(Level.ERROR, Level.WARN))),
        ('instance:"web 1" deployment:d7', Asked(instance="web 1", deployment="d7")),
        ("http://x/?level:error level: 12:30", Asked("http://x/?level:error level: 12:30")),
        ('"level:error" "" "open', Asked(phrases=("level:error", "open"))),
    ],
)
def test_what_a_search_says(text, asked):
    assert parse(text) == asked


def test_what_is_not_known_is_a_fault_and_left_out():
    asked = parse("level:error,loud source:radio")
    assert (asked.levels, asked.sources, len(asked.faults)) == ((Level.ERROR,), (), 2)


@pytest.mark.django_db(transaction=True)
def test_older_lines_through_the_api_also_of_one_moment(api, instance):
    at = datetime.now(UTC) - timedelta(minutes=1)
    recording.record(
        [
            entry(at, instance_id=instance.pk, level=Level.INFO, source=Source.APP, message=f"{number}")
            for number in range(7)
        ]
    )
    client, seen, before = api("VIEWER"), [], ""
    while page := client.get("/api/v1/logs", {"limit": 3, "before": before}).json()["logs"]:
        seen += [line["message"] for line in page]
        before = page[-1]["id"]
    assert sorted(seen) == [str(number) for number in range(7)]
    assert client.get("/api/v1/logs", {"before": "x"}).status_code == 400
