"""How much load a role may make: a stolen key of a low role must not turn the platform into a weapon."""

from dataclasses import dataclass

from django.conf import settings

from config.api.authentication import Principal
from config.api.errors import Forbidden
from config.api.permissions import ADMIN
from loadtest.engine.plan import DAY_S, MAX_CONCURRENCY, MAX_IN_FLIGHT, MAX_RPS, Mode
from loadtest.runs.order import Order


@dataclass(frozen=True)
class Ceilings:
    rps: float
    duration_s: float
    concurrency: float
    in_flight: float


HIGHEST = Ceilings(MAX_RPS, DAY_S, MAX_CONCURRENCY, MAX_IN_FLIGHT)


def of(actor: Principal | None) -> Ceilings:
    """What the caller may ask for: administrators all that the API knows, everybody else what the settings say."""
    return HIGHEST if actor and actor.may(ADMIN) else Ceilings(**settings.LOAD_CEILINGS)


def check(order: Order, actor: Principal | None) -> None:
    """Raise Forbidden, naming the ceiling, for an order beyond it."""
    ceilings = of(actor)
    if order.mode == Mode.CONSTANT_RPS:
        _within("targetRps", order.rate, ceilings.rps, "PHAROS_LOAD_MAX_RPS")
        if order.in_flight_given:
            _within("maxInFlight", order.max_in_flight, ceilings.in_flight, "PHAROS_LOAD_MAX_IN_FLIGHT")
    else:
        _within("concurrency", order.peak, ceilings.concurrency, "PHAROS_LOAD_MAX_CONCURRENCY")
    if order.mode != Mode.ITERATIONS:
        _within("duration", order.duration_s, ceilings.duration_s, "PHAROS_LOAD_MAX_DURATION_S")


def _within(name: str, asked: float, ceiling: float, variable: str) -> None:
    if asked > ceiling:
        raise Forbidden(
            f"'{name}' may be at most {ceiling:.12g} below the ADMIN role (got {asked:.12g}); {variable} sets the limit"
        )
