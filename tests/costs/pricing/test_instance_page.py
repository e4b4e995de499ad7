"""An instance's page tells its estimate, and says so when there is no price."""

import pytest

from tests.costs.making import GB, make_machine, sent

pytestmark = pytest.mark.django_db


def shown(browser, instance):
    return " ".join(browser("VIEWER").get(f"/instances/{instance.pk}/").content.decode().split())


def test_the_estimate_by_hour_and_month(browser, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z")
    instance = make_machine()
    sent(instance, 0, 120 * GB)
    page = shown(browser, instance)
    assert "0.0958 USD an hour, 69.90 USD a month (estimate)" in page and "performance-2x by fly-2026-11-01" in page


def test_what_is_only_guessed_is_said(browser):
    page = shown(browser, make_machine(size=None, last_sample=None))
    assert "USD a month (estimate)" in page and "at least, since neither size nor cores are known" in page
    assert "disk taken as 20 GB" in page


def test_a_price_that_nobody_knows_is_unknown(browser):
    assert "There are no prices for Own machine." in shown(browser, make_machine(provider="ssh"))


def test_a_machine_at_rest_is_told_by_its_disk(browser):
    assert "7.50 USD a month (estimate)" in shown(browser, make_machine(status="SUSPENDED"))
