from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The project itself: commands, template tags and static files."""

    name = "config"
