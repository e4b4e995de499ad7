"""The pages of signals."""

import pytest
from django.utils import timezone

from fleet.live.requests import Request
from loadtest.signals.running import state
from loadtest.signals.running.models import Chunk, Scenario, Snapshot
from loadtest.signals.ui.lines import curves
from tests.factories import make_team
from tests.loadtest.signals.service.conftest import BASE, entry

pytestmark = pytest.mark.django_db
YAML = """version: 2
kind: runnable
scenarios:
  - name: lift
    rate: {rate}
    duration: 5s
    generator: {{type: sine, amplitude: 1, period_secs: 9, offset: 3}}
    sink: {{type: memory}}
"""


def test_the_empty_list_offers_a_first_step(browser):
    page = browser("OPERATOR").get("/signals/").content.decode()
    assert "/signals/new/" in page and "?ready=memory_leak" in page
    assert "/signals/new/" not in browser("VIEWER").get("/signals/").content.decode()


def test_every_ready_scenario_can_be_looked_at(browser):
    from loadtest.signals import library

    person = browser("OPERATOR")
    for one in library.scenarios():
        page = person.get(f"/signals/new/?ready={one.name}").content.decode()
        assert "Nothing was started" not in page and "ticks" in page, one.name
    assert person.get("/signals/new/?ready=%00").status_code == 404


def test_the_line_that_is_wrong_is_marked(browser):
    answer = browser("OPERATOR").post("/signals/new/", {"body": YAML.format(rate=-1)})
    assert answer.status_code == 422 and not Scenario.objects.exists()
    page = answer.content.decode()
    assert "Nothing was started: line 5" in page
    assert '<li value="5" class="is-wrong" aria-label="The line that is wrong"><code>    rate: -1</code>' in page


@pytest.mark.parametrize("body", ["", "a: [", "\0", "<b>", "x" * 10])
def test_text_that_is_no_scenario(browser, body):
    person = browser("OPERATOR")
    for more in ({}, {"look": "1"}):
        page = person.post("/signals/new/", {"body": body, **more})
        assert page.status_code in (200, 422) and "Nothing was started" in page.content.decode()


def test_look_then_start_then_stop_then_delete(browser):
    person = browser("OPERATOR")
    looked = person.post("/signals/new/", {"body": YAML.format(rate=5), "look": "1"}).content.decode()
    assert "the first 25 ticks" in looked and "lift 3 " in looked and not Scenario.objects.exists()
    started = person.post("/signals/new/", {"body": YAML.format(rate=5)})
    row = Scenario.objects.get()
    assert started.url == f"/signals/{row.pk}/"
    assert "Pending" in person.get(started.url).content.decode()
    person.post(f"{started.url}stop/")
    assert "Finished" in person.get("/signals/rows/?state=finished").content.decode()
    assert "?" in person.get(f"{started.url}delete/").content.decode()
    assert person.post(f"{started.url}delete/").url == "/signals/" and not Scenario.objects.exists()


def test_what_it_shows_of_a_scenario(browser, start):
    one = start()
    Snapshot.objects.create(scenario_id=one, series="[]", tail='lift{car="2"} <3>', at=timezone.now())
    Chunk.objects.create(scenario_id=one, lines='a{b="c d"} 1 1790000000000\na{b="c d"} NaN 1790000001000', count=2)
    Scenario.objects.filter(pk=one).update(figures={"last_sink_error": "refused", "total_sink_failures": 1})
    person = browser()
    page = person.get(f"/signals/{one}/").content.decode()
    assert "&lt;3&gt;" in page and "refused" in page and "Degraded" in page
    assert "Delete" not in page
    data = person.get(f"/signals/{one}/chart/").json()
    assert data["series"] == [{"label": 'a{b="c d"}', "unit": "", "points": [[1_790_000_000.0, 1.0]]}]
    assert Chunk.objects.count() == 1
    assert person.get(f"/signals/{one}/parts/now/").status_code == 200
    assert person.get(f"/signals/{one}/parts/other/").status_code == 404


def test_others_see_nothing_of_a_team(api, browser):
    team = make_team()
    made = api("VIEWER", teams={team: "OPERATOR"}).post(f"{BASE}/scenarios?team={team.pk}", entry()).json()["id"]
    stranger = browser("OPERATOR")
    for path in ("", "chart/", "delete/", "parts/now/"):
        assert stranger.get(f"/signals/{made}/{path}").status_code == 404
    assert stranger.post(f"/signals/{made}/stop/").status_code == 404
    assert made not in stranger.get("/signals/").content.decode()
    member = browser("VIEWER", teams={team: "OPERATOR"})
    assert "Stop" in member.get(f"/signals/{made}/").content.decode()
    viewer = browser("VIEWER", teams={team: "VIEWER"})
    assert viewer.get(f"/signals/{made}/").status_code == 200
    assert viewer.post(f"/signals/{made}/stop/").status_code == 403


def test_pages_may_watch_signals():
    topics = [state.LIST_TOPIC, state.topic("00000000-0000-4000-8000-000000000000")]
    assert Request(type="watch", topics=topics).watched == topics


def test_curves_are_bounded():
    lines = [f'm{{n="{n}"}} {n} {1_790_000_000_000 + n}' for n in range(30)]
    data = curves(lines, now=0)
    assert len(data["series"]) == 8 and data["to"] > data["from"]
    assert curves([], now=100.0) == {"series": [], "from": 40.0, "to": 100.0}
