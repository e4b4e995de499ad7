from django.apps import AppConfig


class NaiveConfig(AppConfig):
    name = "benchmarks._naive"
    label = "naive"
