"""Scraping (contract: signals §7), and the service's own figures (§2)."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from config.api.errors import Malformed
from config.api.permissions import VIEWER
from loadtest.signals.running import queries
from loadtest.signals.scraping.draining import MOST_LINES, take
from loadtest.signals.views import SignalsView, exposition, texts

MODES = ("drain", "snapshot")
DEFAULT_LIMIT = 100
BY_A_SCRAPER = "X-Prometheus-Scrape-Timeout-Seconds"


class Metrics(SignalsView):
    """New lines of one scenario, each once, or with `mode=snapshot` its latest values."""

    roles = {"get": VIEWER}
    rate_class = None  # one scraper of two hundred scenarios is no attack

    @texts(query=("limit", "mode"))
    def get(self, request: Request, id: str) -> HttpResponse:
        mode = request.query_params.get("mode", settings.SIGNALS_SCRAPE_DEFAULT)
        if mode not in MODES:
            raise Malformed("mode must be drain or snapshot")
        limit = limit_of(request.query_params.get("limit"))
        row = queries.get_visible(scenario_id=id, principal=request.auth)
        if mode == "snapshot":
            return exposition(queries.snapshot_of(row))
        lines = take(row.pk, limit=limit)
        if not lines and BY_A_SCRAPER not in request.headers:
            return HttpResponse(status=204)
        return exposition("".join(f"{line}\n" for line in lines))


def limit_of(text: str | None) -> int:
    """At most so many lines. Raises Malformed."""
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and text.strip("0")):
        raise Malformed("limit must be an integer of 1 or more")
    return min(int(text.lstrip("0")[:5]), MOST_LINES)


class AllMetrics(SignalsView):
    """The latest values of all scenarios: the address for a scrape job."""

    roles = {"get": VIEWER}
    rate_class = None

    @texts(query=("label", "include_state"))
    def get(self, request: Request) -> HttpResponse:
        asked = request.query_params
        return exposition(
            queries.snapshot_of_all(
                principal=request.auth, labels=asked.getlist("label"), states=asked.getlist("include_state")
            )
        )


class OwnFigures(SignalsView):
    """What the service itself counts."""

    roles = {"get": VIEWER}

    @texts()
    def get(self, request: Request) -> HttpResponse:
        return exposition(own_figures(queries.counts()))


def own_figures(counted: dict[str, Any]) -> str:
    lines = ["# TYPE pharos_signals_scenarios gauge"]
    lines += [f'pharos_signals_scenarios{{state="{word}"}} {number}' for word, number in counted["states"].items()]
    for name, number in counted["sums"].items():
        metric = f"pharos_signals_{name.removeprefix('total_')}"
        lines += [f"# TYPE {metric} gauge", f"{metric} {number}"]  # scenarios that are deleted take theirs along
    lines += ["# TYPE pharos_signals_events_per_second gauge", f"pharos_signals_events_per_second {counted['rate']:g}"]
    lines += ["# TYPE pharos_signals_runners gauge", f"pharos_signals_runners {counted['runners']}"]
    return "\n".join(lines) + "\n"
