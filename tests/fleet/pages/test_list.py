"""The list of instances: who sees what, filters, order, paging, rows that move by themselves."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from fleet.instances.models import Instance
from tests.factories import make_team
from tests.fleet.pages.conftest import awaited, reporting, silent


def names(answer) -> list[str]:
    """The names in the table, in the order of the page."""
    return re.findall(r'<th scope="row"><a href="/instances/[^"]+/">([^<]+)</a>', answer.text)


def rows_url(answer) -> str:
    return re.search(r'data-live-src="(/instances/rows/[^"]*)"', answer.text)[1].replace("&amp;", "&")


def test_who_is_not_signed_in_is_asked_to(client, db):
    assert client.get("/instances/?state=silent").url == "/login/?next=/instances/%3Fstate%3Dsilent"


def test_empty_fleet_offers_the_first_step_to_whom_may_take_it(browser):
    assert 'href="/instances/add/"' in browser("OPERATOR").get("/instances/").text
    viewers = browser("VIEWER").get("/instances/").text
    assert 'href="/instances/add/"' not in viewers
    assert "No instances yet" in viewers


def test_only_instances_of_own_teams(browser):
    mine, theirs = make_team(), make_team()
    reporting("everybodys")
    reporting("ours", team=mine)
    reporting("theirs", team=theirs)
    assert names(browser("OPERATOR", teams={mine: "VIEWER"}).get("/instances/")) == ["everybodys", "ours"]
    assert names(browser("ADMIN").get("/instances/")) == ["everybodys", "ours", "theirs"]


def test_silence_is_told_and_old_figures_are_not(browser):
    silent("db-1", minutes=6)
    page = browser().get("/instances/").text
    assert re.search(r"Silent for <time[^>]*>6 min</time>", page)
    assert "42 %" not in page and "0 %" not in page


def test_states_in_words(browser):
    awaited("new-1")
    reporting("off-1", status="SUSPENDED")
    page = browser().get("/instances/").text
    assert "Not seen yet" in page and "Suspended" in page


@pytest.fixture
def fleet(db):
    reporting("web-1", cpu=5.0, provider="aws", region="eu-central-1", tags={"role": "web", "rack": "7"})
    reporting("web-2", cpu=95.0, provider="gcp", region="us-east1", tags={"role": "web"})
    silent("db-1", provider="aws", region="eu-central-1", tags={"role": "db"})
    awaited("new-1")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["db-1", "new-1", "web-1", "web-2"]),
        ("state=silent", ["db-1"]),
        ("state=running", ["web-1", "web-2"]),
        ("state=error", []),
        ("provider=aws&state=RUNNING", ["web-1"]),
        ("region=eu-central-1", ["db-1", "web-1"]),
        ("label=role=web", ["web-1", "web-2"]),
        ("label=rack", ["web-1"]),
        ("label=role%3Ddb", ["db-1"]),
        ('label=a"b=c', []),
        ("q=WEB", ["web-1", "web-2"]),
        ("q=%00", ["db-1", "new-1", "web-1", "web-2"]),
        ("state=nonsense&provider=nonsense&sort=nonsense&page=nonsense", ["db-1", "new-1", "web-1", "web-2"]),
        ("sort=-name", ["web-2", "web-1", "new-1", "db-1"]),
        ("sort=cpu", ["web-1", "web-2", "db-1", "new-1"]),
        ("sort=-cpu", ["web-2", "web-1", "db-1", "new-1"]),
        ("sort=state", ["db-1", "new-1", "web-1", "web-2"]),
        ("sort=-seen", ["web-2", "web-1", "db-1", "new-1"]),
        ("sort=region&provider=aws", ["db-1", "web-1"]),
    ],
)
def test_filters_and_order(fleet, browser, query, found):
    answer = browser().get(f"/instances/?{query}")
    assert answer.status_code == 200
    assert names(answer) == found


def test_filter_that_finds_nothing_can_be_cleared(fleet, browser):
    page = browser().get("/instances/?q=nothing-like-this").text
    assert "No instance matches" in page and "Clear filters" in page


def test_sort_state_is_told_to_screen_readers(fleet, browser):
    page = browser().get("/instances/?sort=-cpu").text
    assert page.count("aria-sort") == 1
    assert 'aria-sort="descending"' in page


def test_destroyed_ones_only_for_who_asks(browser):
    reporting("old-1", status="DESTROYED")
    assert names(browser().get("/instances/")) == []
    assert names(browser().get("/instances/?state=destroyed")) == ["old-1"]


def test_pages_keep_the_filter(browser):
    for number in range(60):
        reporting(f"web-{number:02}")
    page = browser().get("/instances/?q=web&page=2")
    assert len(names(page)) == 10
    assert 'href="?q=web&amp;page=1"' in page.text


def test_rows_keep_their_order_and_a_pill_offers_the_new_one(fleet, browser):
    client = browser()
    url = rows_url(client.get("/instances/?sort=-cpu"))
    assert "pill" not in client.get(url).text
    Instance.objects.filter(name="web-1").update(last_sample={"cpu_pct": 99.0})
    moved = client.get(url)
    assert names(moved) == ["web-2", "web-1", "db-1", "new-1"]
    assert "Re-sort" in moved.text and 'href="/instances/?sort=-cpu"' in moved.text
    assert rows_url(moved) == url
    reporting("aaa-1")
    assert "1 new" in client.get(url).text


def test_rows_show_only_what_the_reader_may_see(browser):
    theirs = reporting("theirs", team=make_team())
    answer = browser("OPERATOR").get(f"/instances/rows/?shown={theirs.pk},unknown")
    assert answer.status_code == 200
    assert names(answer) == []


def test_links_in_fetched_rows_suit_the_page(fleet, browser):
    client = browser()
    fragment = client.get(rows_url(client.get("/instances/?q=web"))).text
    link = re.search(r'<a class="sort" href="(\?[^"]*)"', fragment)[1]
    assert set(parse_qs(urlsplit(link.replace("&amp;", "&")).query)) == {"q", "sort"}


def test_queries_do_not_grow_with_the_fleet(browser, django_assert_max_num_queries):
    client = browser()
    counts = []
    for known, upto in ((0, 5), (5, 50)):
        for number in range(known, upto):
            reporting(f"web-{number:02}", team=make_team())
        with django_assert_max_num_queries(15) as captured:
            client.get("/instances/")
        counts.append(len(captured))
    assert counts[0] == counts[1]
