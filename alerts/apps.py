from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        """Tell the rooms below what this app puts onto their pages."""
        from alerts import registrations

        registrations.register()
