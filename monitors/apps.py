from django.apps import AppConfig


class MonitorsConfig(AppConfig):
    name = "monitors"

    def ready(self) -> None:
        from prometheus_client import REGISTRY

        from config.celery import app
        from monitors import sealed
        from monitors.agents.steps import Heartbeat
        from monitors.runs.measuring import Figures
        from security.audit import links

        app.steps["worker"].add(Heartbeat)
        REGISTRY.register(Figures())
        sealed.register()
        links.register(
            monitor=("monitors.Monitor", "ui:monitor"),
            monitor_run=("monitors.Run", "ui:run"),
            monitor_agent=("monitors.Agent", "ui:agent"),
        )
