"""The pages of agents: who makes runs, adding one by a command, taking one away."""

import re
from typing import Any

import pytest
from django.utils import timezone

from monitors.agents import beats
from monitors.agents.models import Agent
from monitors.agents.services import create as make_agent
from tests.monitors.pages.conftest import FORM, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    return make_agent(name="Frankfurt", location="Germany", actor=None)[0]


def test_the_list_and_the_page_of_an_agent(browser: Any, agent: Agent, create: Any, run_now: Any) -> None:
    viewer, told = browser(), {"capacity": 4, "tools": {"k6": "1.1.0"}, "metrics": {"cpu_percent": 12.5}}
    assert "Platform workers" in text(viewer.get("/agents/")) and "Add agent" not in text(viewer.get("/agents/"))
    assert "Offline" in text(viewer.get("/agents/rows/")) and "never" in text(viewer.get("/agents/frankfurt/"))
    create(name="Pinned here", agentId="frankfurt")
    run_now(create(name="At home"))
    beats.beat_of(agent=agent, told=told, now=timezone.now())
    beats.sample(now=timezone.now())
    page = text(viewer.get("/agents/frankfurt/"))
    for words in ("Germany", "Online", "12.5 %", "k6 1.1.0", "Pinned here", "of 4"):
        assert words in page
    assert "At home" in text(viewer.get("/agents/default/now/")) and "Remove" not in page
    chart = viewer.get("/agents/frankfurt/charts/machine/").json()
    assert [one["label"] for one in chart["series"]] == ["CPU", "Memory"]
    assert [point[1] for point in chart["series"][0]["points"]] == [12.5]
    for path in ("nowhere/", "nowhere/now/", "frankfurt/charts/else/"):
        assert viewer.get(f"/agents/{path}").status_code == 404


def test_the_token_is_shown_once_and_the_page_waits(browser: Any) -> None:
    admin = browser("ADMIN")
    assert admin.post("/agents/add/", {"name": ""}).status_code == 422
    answer = admin.post("/agents/add/", {"name": "Tokyo", "location": "Japan"})
    [token] = set(re.findall(r"pma-[0-9a-f]{48}", answer.content.decode()))
    assert "Waiting for the first heartbeat" in text(answer)
    again = admin.get("/agents/tokyo/join/")
    assert "pma-" not in again.content.decode() and "Make another token" in text(again)
    other = admin.post("/agents/tokyo/join/").content.decode()
    assert re.search(r"pma-[0-9a-f]{48}", other) and token not in other
    assert "HX-Redirect" not in admin.get("/agents/tokyo/steps/")
    beats.beat_of(agent=Agent.objects.get(pk="tokyo"), told={}, now=timezone.now())
    assert admin.get("/agents/tokyo/steps/")["HX-Redirect"] == "/agents/tokyo/"
    assert admin.get("/agents/default/join/").status_code == 404


def test_removing_needs_the_name_and_moves_the_monitors(browser: Any, agent: Agent, create: Any) -> None:
    admin, monitor = browser("ADMIN"), create(name="Pinned here", agentId="frankfurt")
    assert "Pinned here" in text(admin.get("/agents/frankfurt/remove/"))
    assert admin.post("/agents/frankfurt/remove/", {"confirm": "else", "reassign": "on"}).status_code == 422
    assert "Move them first" in text(admin.post("/agents/frankfurt/remove/", {"confirm": "Frankfurt"}))
    assert admin.post("/agents/frankfurt/remove/", {"confirm": "Frankfurt", "reassign": "on"})["Location"] == "/agents/"
    monitor.refresh_from_db()
    assert monitor.agent_id == "default" and admin.get("/agents/frankfurt/").status_code == 404
    assert admin.get("/agents/default/remove/").status_code == 404


def test_a_monitor_is_pinned_by_its_form(browser: Any, agent: Agent, create: Any) -> None:
    operator, monitor = browser("OPERATOR"), create()
    assert "Frankfurt, Germany" in text(operator.get(f"/monitors/{monitor.pk}/edit/"))
    assert operator.post(f"/monitors/{monitor.pk}/edit/", FORM | {"agent_id": "frankfurt"}).status_code == 302
    monitor.refresh_from_db()
    assert monitor.agent_id == "frankfurt"
    assert operator.post(f"/monitors/{monitor.pk}/edit/", FORM | {"agent_id": "nowhere"}).status_code == 422


def test_only_administrators_add_and_remove(browser: Any, agent: Agent) -> None:
    for person in (browser(), browser("OPERATOR")):
        for path in ("add/", "frankfurt/join/", "frankfurt/steps/", "frankfurt/remove/"):
            assert person.get(f"/agents/{path}").status_code == 403
