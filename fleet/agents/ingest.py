"""Reports over HTTP, answered after their commit (contract: fleet console §31.4)."""

import time
from concurrent.futures import Future
from typing import Any

from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Forbidden, Invalid, Malformed, NotFound
from config.api.scopes import FLEET_WRITE
from fleet.agents import installed, reports, services, shapes
from fleet.agents.budget import budget
from fleet.metrics import services as metrics
from security.keys import services as keys
from security.keys.refusals import claim_of

KEY_KEPT_S = 2.0  # how long a key that has been revoked may still be believed
BINDING_KEPT_S = 300.0
MAX_KEPT = 50_000

read_delivery = reports.reader(shapes.Delivery)


class Memory:
    """What was found a moment ago, by the digest of the key. Bounded: when it is full it begins anew."""

    def __init__(self, kept_s: float) -> None:
        self._kept_s = kept_s
        self._entries: dict[Any, tuple[float, Any]] = {}

    def get(self, name: Any) -> Any:
        until, value = self._entries.get(name, (0.0, None))
        return value if until > time.monotonic() else None

    def put(self, name: Any, value: Any) -> Any:
        if len(self._entries) >= MAX_KEPT:
            self._entries.clear()
        self._entries[name] = (time.monotonic() + self._kept_s, value)
        return value

    def clear(self) -> None:
        self._entries.clear()


principals, bindings = Memory(KEY_KEPT_S), Memory(BINDING_KEPT_S)


def known(raw_key: str, reference: str) -> services.Bound | None:
    """The instance that the caller may speak for, if that needs no look into the database.

    A key is looked up again after 2 s; what it may speak for is kept longer, as it is on a socket.
    """
    digest = keys.digest_of(raw_key)
    return bindings.get((digest, reference)) if principals.get(digest) else None


def admit(raw_key: str, reference: str, *, adopt: bool = True) -> services.Bound:
    """The instance that the key may speak for. Raises Unauthorized, Forbidden, Malformed or NotFound.

    With `adopt` an instance that was enrolled takes over what its agent calls itself at the first contact.
    """
    digest, principal = keys.digest_of(raw_key), caller(raw_key, reference)
    return bindings.get((digest, reference)) or bindings.put((digest, reference), _bind(principal, reference, adopt))


def caller(raw_key: str, reference: str | None = None) -> Principal:
    """Whose key it is; believed for 2 s.

    Raises Unauthorized, which counts for the instance that is meant, and Forbidden when its scopes leave the fleet out.
    """
    digest, claim = keys.digest_of(raw_key), claim_of("", reference)
    found = principals.get(digest)
    return found or principals.put(digest, keys.authenticate_key(raw_key, scope=FLEET_WRITE, claim=claim))


def _bind(principal: Principal, reference: str, adopt: bool) -> services.Bound:
    if not services.may_speak(principal):
        raise Forbidden("This action requires the OPERATOR role or higher")
    if len(reference) > 128 or "\x00" in reference:
        raise Malformed("Invalid instance ID")
    try:
        return services.bind(reference=reference, principal=principal, adopt=adopt)
    except NotFound:
        raise NotFound(f"Instance '{reference}' not found") from None


def take(bound: services.Bound, body: bytes) -> "tuple[Future[None], shapes.Delivery]":
    """Hand the reports in the body to the writer; the future is done when they are committed.

    The body is one report, or `{"heartbeat": …, "metrics": …, "processes": […]}`. Raises Malformed, Invalid, TooMany,
    Forbidden (it names another instance) or Unavailable; nothing is stored then.
    """
    budget.take(bound.instance_id, len(body))
    delivery = _read(body)
    told = [report for report in (delivery.heartbeat, delivery.metrics) if report is not None] or [delivery]
    for report in (delivery, *told):
        if report.named and report.named not in bound.names:
            raise Forbidden("The report names another instance")
    now = timezone.now()
    beats = [reports.beat_of(report, instance_id=bound.instance_id, now=now) for report in told]
    if delivery.metrics is not None and beats[-1].sample is None:
        raise Invalid("The sample holds no figure", details={"metrics": ["holds no figure"]})
    if told == [delivery] and delivery.processes is None and delivery == shapes.Delivery():
        raise Invalid("The report holds nothing that is known")
    return metrics.accept(beats, now=now), delivery


def _read(body: bytes) -> shapes.Delivery:
    try:
        return read_delivery(body)
    except Invalid as error:
        if "JSON is malformed" in error.message or "truncated" in error.message:
            raise Malformed("The body is not valid JSON") from None
        raise


def store_rest(bound: services.Bound, delivery: shapes.Delivery) -> None:
    """Store what a delivery says beside its figures: facts of the machine and its processes."""
    facts = reports.facts_of(delivery)
    for report in (delivery.heartbeat, delivery.metrics):
        facts |= reports.facts_of(report) if report else {}
    if facts:
        services.refresh(instance_id=bound.instance_id, facts=facts)
    if delivery.processes is not None:
        services.store_inventory(instance_id=bound.instance_id, processes=delivery.processes)
    if installed.tells(delivery.installed):
        installed.tell(instance_id=bound.instance_id, report=delivery.installed, now=timezone.now())


def has_rest(delivery: shapes.Delivery) -> bool:
    """Whether `store_rest` has anything to do."""
    told = (delivery, delivery.heartbeat, delivery.metrics)
    listed = delivery.processes is not None or installed.tells(delivery.installed)
    return listed or any(report and reports.facts_of(report) for report in told)
