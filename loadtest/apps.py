from django.apps import AppConfig


class LoadtestConfig(AppConfig):
    name = "loadtest"

    def ready(self) -> None:
        """Enter the sealed columns, so that the vault's key can be changed."""
        from loadtest import sealed

        sealed.register()
