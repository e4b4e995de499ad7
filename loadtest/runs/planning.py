"""From an order to what the load engine is told: composed once, at the start (contract: load testing §7, §10)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from config.api.authentication import Principal
from config.api.errors import Invalid
from config.outbound import BadUrl, parse_url
from loadtest.composing.compose import ComposeError, Prepared, compose
from loadtest.composing.secrets import secrets_in
from loadtest.composing.variables import Scopes
from loadtest.engine import requests as engine
from loadtest.engine.plan import Mode, PlanError, RunSpec
from loadtest.runs import ceilings
from loadtest.runs.order import Order
from loadtest.workspace import configuration, opening, queries

LATER = "The name has not been looked up yet."  # the worker does, when the run begins
NOTHING = (b"\r\n",)
GRACE_S = 120.0  # for what comes before the first and after the last request


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a worker needs for one run. `refusal` says why it cannot even begin; then the rest means nothing.

    `facts` is what deferred tests are told: the request, and the scopes as they were at the start.
    """

    spec: RunSpec
    host: str = ""
    port: int = 0
    refusal: str = ""
    tests: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    longest_s: float = 0.0

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"spec": self.spec.to_json()})

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        plain = json.loads(text)
        return cls(**plain | {"spec": RunSpec.from_json(plain["spec"])})


@dataclass(frozen=True)
class Planned:
    """A plan, with what its row has to know besides."""

    plan: Plan
    connections: int
    shards: int
    warnings: list[str]
    secrets: list[str]


def make(body: Mapping[str, Any], order: Order, actor: Principal | None) -> Planned:
    """Raises Invalid for a request that cannot be put together. A bad URL makes a plan that refuses to begin."""
    settings, ceiling = configuration.values(), ceilings.of(actor)
    request_id, environment_id = body.get("requestId") or None, body.get("environmentId") or None
    scopes = opening.scopes_for(body, request_id, environment_id, actor=actor).scopes
    connections, warnings = _connections(order, settings, int(ceiling.in_flight))
    spec = RunSpec(
        mode=order.mode,
        addresses=(),
        unresolved=LATER,
        requests=NOTHING,
        method=order.method,
        verify=order.verify,
        rate=order.rate,
        concurrency=order.concurrency,
        start_concurrency=order.start_concurrency,
        ramp_s=order.ramp_s,
        duration_s=order.duration_s,
        iterations=order.iterations,
        max_in_flight=connections if order.mode == Mode.CONSTANT_RPS else 0,
        timeout_s=(order.timeout_ms or settings["defaultTimeout"]) / 1000,
        max_redirects=order.max_redirects if order.follow_redirects else 0,
        sampling=order.sampling,
    )
    ends_by_itself = order.mode != Mode.ITERATIONS
    longest_s = order.duration_s + spec.timeout_s + GRACE_S if ends_by_itself else ceiling.duration_s
    plan = Plan(spec=spec, tests=order.tests, longest_s=longest_s)
    inherited = queries.inherited_auth(request_id) if request_id else None
    try:
        prepared = compose(body, scopes, inherited, live=True)
        target = parse_url(prepared.url)
        plan = replace(
            plan,
            spec=replace(spec, tls=target.scheme == "https", server_name=target.host, requests=(_wire(prepared),)),
            host=target.host,
            port=target.port,
            facts=_facts(prepared, scopes, request_id, environment_id) if order.tests.strip() else {},
        )
    except (ComposeError, BadUrl) as error:
        if isinstance(error, ComposeError) and error.error_code != "INVALID_URL":
            raise
        plan = replace(plan, refusal=str(error), tests="")
    shards = 1 if plan.refusal else min(order.shards, spec.useful_parts)
    return Planned(plan, connections, shards, warnings, secrets_in(scopes, body.get("auth"), inherited))


def _wire(prepared: Prepared) -> Any:
    """The request as the engine sends it: bytes, or a template when something is drawn for each request."""
    if prepared.template:
        return prepared.template
    try:
        target = engine.parse_url(prepared.url)
        return engine.render(target, method=prepared.method, headers=prepared.headers, body=prepared.body)
    except PlanError as error:
        raise Invalid(str(error)) from error


def _connections(order: Order, settings: Mapping[str, Any], ceiling: int) -> tuple[int, list[str]]:
    """How many connections the run may open, and what there is to say about it (§3.2 maxConnections, §10.6)."""
    most, warnings = settings["maxConnections"], []
    if order.mode != Mode.CONSTANT_RPS:
        if order.peak > most:
            raise Invalid(f"'concurrency' must be at most {most}, which is what 'maxConnections' allows")
        usual = settings["eventLoopMaxPerHost"] * settings["workers"]
        if order.peak > usual:
            warnings.append(f"{order.peak} connections to one host are open at once, more than the usual {usual}.")
        return order.peak, warnings
    # A default is generous; it must not keep every other run waiting for connections that are never opened.
    allowed = most if order.in_flight_given else min(ceiling, max(most // 2, min(most, 1000)))
    if order.in_flight_given and order.max_in_flight > allowed:
        warnings.append(f"At most {allowed} requests are in flight at once, as 'maxConnections' is {most}.")
    return min(order.max_in_flight, allowed), warnings


def _facts(prepared: Prepared, scopes: Scopes, request_id: str | None, environment_id: str | None) -> dict[str, Any]:
    return {
        "request": {
            "method": prepared.method,
            "url": prepared.url,
            "headers": list(prepared.headers),
            "body": prepared.body.decode(errors="replace"),
        },
        "environment": dict(scopes.environment) if environment_id else None,
        "collections": [dict(collection) for collection in scopes.collections],
        "globals": dict(scopes.globals),
        "request_id": request_id or "",
    }
