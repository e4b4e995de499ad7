"""The load that a form describes, as a curve and in words, while it is typed."""

from typing import Any

from config import formats
from config.api.errors import ApiError
from loadtest.engine.plan import Mode
from loadtest.runs import order
from loadtest.runs.drawing import Curve, line_chart
from loadtest.runs.order import Order
from loadtest.runs.ui.forms import LoadForm

ANYTHING = {"method": "GET", "url": "http://target"}


def planned(form: LoadForm) -> dict[str, Any]:
    """`{curve, words}`, or `{fault}` while the fields make no load."""
    if not form.is_valid():
        return {"fault": next(iter(form.errors.values()))[0]}
    try:
        wanted = order.read(ANYTHING | form.wire())
    except ApiError as error:
        return {"fault": error.message}
    if wanted.mode == Mode.ITERATIONS:
        return {"words": f"{wanted.iterations:,} requests, at most {wanted.concurrency:,} at once."}
    unit, name = ("/s", "Requests per second") if wanted.mode == Mode.CONSTANT_RPS else ("", "In flight")
    return {"curve": line_chart(name, [Curve(name, points(wanted))], unit), "words": words(wanted)}


def points(wanted: Order) -> list[tuple[float, float]]:
    """(seconds, rate or requests in flight): the corners of the curve."""
    end = wanted.duration_s
    if wanted.mode == Mode.CONSTANT_RPS:
        return [(0, wanted.rate), (end, wanted.rate)]
    if wanted.mode == Mode.CONSTANT_CONCURRENCY or wanted.ramp_s == 0:
        return [(0, wanted.concurrency), (end, wanted.concurrency)]
    start, rise = wanted.start_concurrency, wanted.concurrency - wanted.start_concurrency
    if end <= wanted.ramp_s:
        return [(0, start), (end, start + rise * end / wanted.ramp_s)]
    return [(0, start), (wanted.ramp_s, wanted.concurrency), (end, wanted.concurrency)]


def words(wanted: Order) -> str:
    lasts = formats.duration(wanted.duration_s)
    if wanted.mode == Mode.CONSTANT_RPS:
        total = int(wanted.rate * wanted.duration_s)
        return f"{total:,} requests in {lasts}, at most {wanted.max_in_flight:,} unanswered."
    if wanted.mode == Mode.CONSTANT_CONCURRENCY:
        return f"{wanted.concurrency:,} always in flight for {lasts}."
    ramp = formats.duration(wanted.ramp_s)
    cut = " The run ends before the ramp does." if wanted.duration_s < wanted.ramp_s else ""
    return f"From {wanted.start_concurrency:,} to {wanted.concurrency:,} in flight within {ramp}, {lasts} in all.{cut}"
