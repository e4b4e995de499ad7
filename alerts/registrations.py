"""What this app puts onto the pages of the rooms below, which do not know it."""

from alerts.channels.models import Channel
from alerts.demo.services import ask
from alerts.evaluation import deployments, refusals, sources, spending
from alerts.overview.beside import alert_marks, command_marks, open_alerts
from fleet.instances import beside
from security.accounts.beginning import Offer, offer
from security.vault import columns


def register() -> None:
    """Called once, when the app is ready."""
    words = "24 machines, 8 monitors and a load test to look around with. You can remove them at any time."
    offer(Offer("demo", "Load demo data", words, ask))
    beside.fill_column("open_alerts", open_alerts())
    beside.mark_charts(alert_marks)
    beside.mark_charts(command_marks)
    sources.register("unauthorized_access", refusals.facts)
    sources.register("deploy_failed", deployments.facts)
    sources.register(sources.SPEND, spending.facts)
    columns.register(Channel, "sealed_config", lambda channel: channel.context)
