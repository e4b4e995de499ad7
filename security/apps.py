from django.apps import AppConfig


class SecurityConfig(AppConfig):
    name = "security"

    def ready(self) -> None:
        """Tell the other rooms what this app does for them."""
        from security import registrations

        registrations.register()
