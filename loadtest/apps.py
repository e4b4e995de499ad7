from django.apps import AppConfig


class LoadtestConfig(AppConfig):
    name = "loadtest"

    def ready(self) -> None:
        """Enter the sealed columns, so that the vault's key can be changed, and where things of the audit log live."""
        from loadtest import sealed
        from security.audit import links

        sealed.register()
        links.register(
            load_run=("loadtest.Run", "ui:load-run"),
            load_collection=("loadtest.Collection", "ui:load-collection"),
            signal=("signals.Scenario", "ui:signal"),
            replay_session=("replay.Session", "ui:replay-session"),
        )
