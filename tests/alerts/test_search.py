"""The search over everything: a page, and a list below the box of the header."""

import re

import pytest

from alerts.rules.models import Rule
from config.api.permissions import ADMIN
from loadtest.workspace.models import Collection, SavedRequest
from tests.alerts.test_overview_page import fire, make_monitor
from tests.factories import make_team
from tests.fleet.pages.conftest import reporting


@pytest.fixture
def shop(db):
    """One of everything with shop in its name."""
    instance = reporting("shop-1")
    monitor = make_monitor("Shop front page", "pass")
    fire("Shop is slow")
    rule = {"metric": "cpu_percent", "operator": "gt", "threshold": 90}
    Rule.objects.create(name="Shop is busy", type="THRESHOLD", severity="HIGH", conditions=rule)
    SavedRequest.objects.create(pk="r1", collection=Collection.objects.create(pk="c1", name="c"), name="Shop", url="/")
    return instance, monitor


def found(page) -> list[str]:
    return re.findall(r"<li><a href=\"[^\"]+\">(?:<span>)?([^<]+)<", page.text)


def test_everything_is_found_by_name_in_any_case(browser, shop):
    page = browser().get("/search/?q=SHOP")
    assert found(page) == ["shop-1", "Shop front page", "Shop is slow", "Shop is busy", "Shop"]


def test_runs_are_found_by_id_and_pages_by_name(browser, shop):
    _, monitor = shop
    run = monitor.runs.get()
    assert found(browser().get(f"/search/?q={run.pk}")) == ["Run of Shop front page"]
    assert "Audit" not in found(browser("VIEWER").get("/search/?q=audit"))
    assert "Audit" in found(browser(ADMIN).get("/search/?q=audit"))


def test_what_the_reader_may_not_see_is_not_found(browser, shop):
    reporting("shop-secret", team=make_team())
    assert "shop-secret" not in browser().get("/search/?q=shop").text
    assert "shop-secret" in browser(ADMIN).get("/search/?q=shop").text


def test_at_most_eight_of_a_kind_with_a_fixed_number_of_queries(browser, django_assert_max_num_queries):
    for number in range(12):
        reporting(f"web-{number:02}")
    client = browser()
    with django_assert_max_num_queries(16):
        page = client.get("/search/?q=web")
    assert len(found(page)) == 8 and "All instances" in page.text


@pytest.mark.parametrize("words", ["", " ", "%00", "%25", "'", "x" * 5000])
def test_odd_words_are_answered(browser, words):
    assert browser().get(f"/search/?q={words}").status_code == 200


def test_the_box_gets_the_list_alone(browser, shop):
    fragment = browser().get("/search/?q=shop-1", headers={"HX-Request": "true"}).text
    assert "<html" not in fragment and ">shop-1<" in fragment
