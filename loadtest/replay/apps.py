from django.apps import AppConfig


class ReplayConfig(AppConfig):
    name = "loadtest.replay"
    label = "replay"
    verbose_name = "Replay"
