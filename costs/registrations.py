"""What rests on the ledger's runs, and what this app puts onto the pages of the rooms below, which do not know it."""

from costs.catalog.beside import cost_fact
from costs.ledger.services import after_run
from costs.loadtests.queries import cost_of
from costs.rightsizing.services import analyze_if_due
from fleet.instances import beside as instances
from loadtest.runs import beside
from security.audit import links


def register() -> None:
    """Called once, when the app is ready."""
    instances.tell_fact(cost_fact)
    after_run(analyze_if_due)
    beside.price_instances(cost_of)
    links.register(budget=("costs.Budget", "ui:cost-budget"))
