"""The pages of logs: search, bars, older lines, a line with those around it, files."""

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from fleet.logs import recording
from fleet.logs.entries import entry
from fleet.logs.models import Level, Source
from tests.factories import make_team
from tests.fleet.pages.conftest import reporting

pytestmark = pytest.mark.django_db(transaction=True)


def write(instance, *messages, level=Level.INFO, source=Source.APP, age_s=60, **facts):
    """Lines of an instance, a second apart, the first `age_s` old."""
    start = timezone.now() - timedelta(seconds=age_s)
    made = [
        entry(
            start + timedelta(milliseconds=100 * number),
            instance_id=instance.pk,
            level=level,
            source=source,
            message=message,
            **facts,
        )
        for number, message in enumerate(messages)
    ]
    recording.record(made)
    return made


def listed(page):
    return re.findall(r'class="log-text">([^<]*)<', page.text)


def test_lines_are_found_by_the_short_syntax(browser):
    web, database = reporting("web-1"), reporting("db-1")
    write(web, "request time out", "out of time", level=Level.ERROR)
    write(web, "request time out", level=Level.INFO)
    write(database, "slow query", level=Level.WARN, source=Source.SYSTEM, metadata={"path": "/var/log/db.log"})
    client = browser()
    find = lambda q: sorted(listed(client.get("/logs/", {"q": q})))  # noqa: E731 - said often
    assert len(find("")) == 4
    assert find('level:error "time out"') == ["request time out"]
    assert find("time out level:error") == ["out of time", "request time out"]
    assert find("source:system") == find("instance:db-1") == find("level:warning") == ["slow query"]
    page = client.get("/logs/", {"q": "level:loud slow"})
    assert listed(page) == ["slow query"] and "There is no level “loud”" in page.text
    assert "/var/log/db.log" in page.text
    assert "No line matches" in client.get("/logs/", {"q": "nowhere"}).text


def test_bars_count_by_level(browser):
    instance = reporting("web-1")
    write(instance, *["a"] * 3, level=Level.ERROR)
    write(instance, "b", age_s=4000)
    page = browser().get("/logs/").text
    assert "3 lines" in page and 'class="level-error"' in page and "Error 3" in page
    assert "4 lines" in browser().get("/logs/", {"range": "24h"}).text
    assert "1 line " in browser().get("/logs/", {"q": "b", "range": "7d"}).text


def test_older_lines_by_cursor(browser):
    instance = reporting("web-1")
    write(instance, *[f"line {number:03}" for number in range(150)])
    client = browser()
    first = client.get(f"/instances/{instance.pk}/logs/")
    assert listed(first)[0] == "line 149" and len(listed(first)) == 100
    older = re.search(r'href="([^"]+before=[^"]+)"', first.text)[1].replace("&amp;", "&")
    second = client.get(older)
    assert listed(second) == [f"line {number:03}" for number in range(49, -1, -1)]
    assert "before=" not in second.text.split("Newest lines")[1].split("</nav>")[0]


def test_a_line_with_those_around_it(browser):
    instance = reporting("web-1")
    made = write(instance, *[f"line {number:02}" for number in range(60)])
    page = browser().get("/logs/", {"around": made[30].id})
    assert listed(page) == [f"line {number:02}" for number in range(50, 9, -1)]
    assert 'class="is-sought"' in page.text
    assert browser().get("/logs/", {"around": "nonsense"}).status_code == 404


def test_rows_of_lines_that_came(browser):
    instance = reporting("web-1")
    made = write(instance, "one", "two")
    ids = ",".join([*(line.id for line in made), "nonsense"])
    client = browser()
    assert listed(client.get("/logs/rows/", {"ids": ids})) == ["two", "one"]
    assert listed(client.get("/logs/rows/", {"ids": ids, "q": "one"})) == ["one"]
    assert listed(client.get("/logs/rows/")) == []


def test_files(browser):
    instance = reporting("web-1")
    write(instance, "first\nsecond", "third <b>", level=Level.WARN)
    client = browser()
    text = client.get("/logs/file/")
    assert text["Content-Disposition"] == 'attachment; filename="logs.txt"'
    assert [line.split(" ", 1)[-1] for line in text.text.splitlines()][1:] == ["\tsecond", "WARN web-1 APP third <b>"]
    rows = [json.loads(line) for line in client.get("/logs/file/?format=jsonl").text.splitlines()]
    assert [row["message"] for row in rows] == ["first\nsecond", "third <b>"]
    assert client.get("/logs/file/?format=xml").status_code == 404


def test_other_teams_lines_are_not_there(browser):
    theirs, ours = make_team(), make_team()
    hidden, seen = reporting("theirs", team=theirs), reporting("ours", team=ours)
    made = write(hidden, "hidden") + write(seen, "seen")
    client = browser(teams={ours: "VIEWER"})
    ids = ",".join(line.id for line in made)
    for path in ("/logs/", f"/logs/rows/?ids={ids}", "/logs/?q=instance:theirs"):
        assert listed(client.get(path)) == ["seen"], path
    assert "hidden" not in client.get("/logs/file/").text
    assert "1 line " in client.get("/logs/").text
    assert client.get(f"/instances/{hidden.pk}/logs/").status_code == 404
    assert client.get(f"/logs/?around={made[0].id}").status_code == 404
    assert hidden.pk not in client.get("/logs/").text


def test_nothing_yet_and_what_is_no_filter(browser):
    client = browser()
    assert "No log lines yet" in client.get("/logs/").text
    write(reporting("web-1"), "old", age_s=90_000)
    assert "No line came in this time" in client.get("/logs/").text
    for query in ("before=x", "level=loud&source=x", "from=x&to=y", "q=%00", "q=%22", "q=level:", "range=5y"):
        assert client.get(f"/logs/?{query}").status_code == 200, query
    between = "from=2026-01-01T00:00:00&to=2026-01-02T00:00:00"
    page = client.get(f"/logs/?{between}").text
    assert 'id="log-from"' in page and 'id="log-follow"' not in page
