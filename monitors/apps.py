from django.apps import AppConfig


class MonitorsConfig(AppConfig):
    name = "monitors"

    def ready(self) -> None:
        from config.celery import app
        from monitors.agents.steps import Heartbeat

        app.steps["worker"].add(Heartbeat)
