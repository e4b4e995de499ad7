from django.apps import AppConfig


class MonitorsConfig(AppConfig):
    name = "monitors"

    def ready(self) -> None:
        from prometheus_client import REGISTRY

        from config.celery import app
        from monitors import sealed
        from monitors.agents.steps import Heartbeat
        from monitors.runs.measuring import Figures

        app.steps["worker"].add(Heartbeat)
        REGISTRY.register(Figures())
        sealed.register()
