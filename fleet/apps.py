from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "fleet"

    def ready(self) -> None:
        """Slices enter what they do with agents' frames and with messages of browsers."""
        from fleet.commands import answers, browsers  # noqa: F401
        from fleet.logfiles import asks as of_logs  # noqa: F401
        from fleet.providers import answers as of_drivers  # noqa: F401
        from fleet.terminals import asks, reports  # noqa: F401
