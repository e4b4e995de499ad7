"""Reading log generators of templates (contract: signals §8.3)."""

from loadtest.signals.generators import specs
from loadtest.signals.generators.logs import SEVERITIES
from loadtest.signals.scenario.fields import Fields

MOST_TEMPLATES = 1000
MOST_POOLS = 64


def template(fields: Fields) -> specs.Template:
    templates = [
        specs.LogTemplate(message=one.text("message"), field_pools=_pools(one))
        for one in fields.mappings("templates", most=MOST_TEMPLATES)
    ]
    if not templates:
        raise fields.fault("templates", "must hold at least one template")
    return specs.Template(templates=templates, severity_weights=_weights(fields), seed=fields.integer("seed", 0))


def _pools(fields: Fields) -> dict[str, list[str]]:
    pools = fields.mapping("field_pools", None)
    if pools and len(pools.names()) > MOST_POOLS:
        raise fields.fault("field_pools", f"must have at most {MOST_POOLS} fields")
    return {name: pools.texts(name) for name in pools.names()} if pools else {}


def _weights(fields: Fields) -> dict[str, float]:
    weights = fields.mapping("severity_weights", None)
    if weights is None or not weights.names():
        return {}
    for name in weights.names():
        severity(weights, name, name)
    found = {name: weights.number(name, at_least=0, at_most=1e12) for name in weights.names()}
    if not sum(found.values()) > 0:
        raise fields.fault("severity_weights", "must not all be zero")
    return found


def severity(fields: Fields, name: str, text: str) -> str:
    """The text as a severity; raises where it is none."""
    if text not in SEVERITIES:
        raise fields.fault(name, f"is no severity; known are {', '.join(SEVERITIES)}")
    return text
