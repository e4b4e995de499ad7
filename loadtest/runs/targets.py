"""The addresses of a target: looked up once, judged by the outbound policy, those that do not answer left out."""

import time
from dataclasses import replace

from config.outbound import TimedOut, Unreachable, resolve
from loadtest.engine import requests as engine
from loadtest.engine.plan import RunSpec

LOOK_UP_S, PROBE_S = 10.0, 1.0


def resolved(spec: RunSpec, host: str, port: int) -> RunSpec:
    """The spec with the addresses that may be connected to. Raises config.outbound's BadUrl and Refused.

    A name that does not resolve makes a spec whose requests all fail with that (§14.5 dns_failed). Where a name has
    several addresses, those in front at which nobody listens are left out: a server on IPv4 alone is often known
    under both. When none answers all are kept, and the run itself counts the failures.
    """
    began = time.perf_counter_ns()
    try:
        addresses = tuple((str(address), port) for address in resolve(host, timeout_s=LOOK_UP_S))
    except (Unreachable, TimedOut) as error:
        return replace(spec, addresses=(), unresolved=str(error))
    took_us = (time.perf_counter_ns() - began) // 1000
    found = engine.Resolution(addresses, took_us)
    if len(addresses) > 1:
        try:
            found = engine.reachable(found, timeout_s=PROBE_S)
        except engine.Unreachable:
            found = engine.Resolution(addresses, took_us)
    return replace(spec, addresses=found.addresses, unresolved="", dns_us=took_us)
