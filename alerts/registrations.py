"""What this app puts onto the pages of the rooms below, which do not know it."""

from alerts.channels.models import Channel
from alerts.demo.services import ask
from alerts.evaluation import deployments, refusals, secrets, sources, spending, vulnerabilities
from alerts.overview.beside import alert_marks, command_marks, open_alerts
from alerts.policies import leaving
from fleet.instances import beside
from security.accounts.beginning import Offer, offer
from security.audit import links
from security.offboarding import duties
from security.vault import columns


def register() -> None:
    """Called once, when the app is ready."""
    words = "24 machines, 8 monitors and a load test to look around with. You can remove them at any time."
    offer(Offer("demo", "Load demo data", words, ask))
    beside.fill_column("open_alerts", open_alerts())
    beside.mark_charts(alert_marks)
    beside.mark_charts(command_marks)
    sources.register("unauthorized_access", refusals.facts)
    sources.register("cve_detected", vulnerabilities.facts)
    sources.register("deploy_failed", deployments.facts)
    sources.register("secret_expired", secrets.facts)
    sources.register(sources.SPEND, spending.facts)
    duties.register(duties.Keeper(leaving.duties_of, leaving.release))
    links.register(
        alert=("alerts.Alert", "ui:alert"),
        alert_rule=("alerts.Rule", "ui:alert-rule"),
        alert_policy=("alerts.Policy", "ui:alert-policy-edit"),
        channel=("alerts.Channel", "ui:alert-channel-edit"),
        on_call_rotation=("alerts.Rotation", "ui:alert-rotation-edit"),
        silence=("alerts.Silence", "ui:silence-edit"),
    )
    columns.register(Channel, "sealed_config", lambda channel: channel.context)
