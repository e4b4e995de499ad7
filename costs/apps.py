from django.apps import AppConfig


class CostsConfig(AppConfig):
    name = "costs"

    def ready(self) -> None:
        """Tell the ledger and the rooms below what this app does for them."""
        from costs import registrations

        registrations.register()
