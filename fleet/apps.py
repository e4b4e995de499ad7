from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "fleet"

    def ready(self) -> None:
        """Slices enter what they do with agents' frames and with messages of browsers, and their sealed columns."""
        from fleet.commands import answers, browsers  # noqa: F401
        from fleet.commands.models import Batch
        from fleet.commands.specs import context_of
        from fleet.logfiles import asks as of_logs  # noqa: F401
        from fleet.providers import answers as of_drivers  # noqa: F401
        from fleet.providers.models import Binding
        from fleet.terminals import asks, reports  # noqa: F401
        from security.audit import links
        from security.vault import columns

        links.register(instance=("fleet.Instance", "ui:instance"), command=("fleet.Batch", "ui:command"))
        columns.register(Batch, "sealed", context_of)
        columns.register(Binding, "sealed_options", lambda binding: binding.context)
