from django.apps import AppConfig


class SignalsConfig(AppConfig):
    name = "loadtest.signals"
    label = "signals"
    verbose_name = "Signals"
