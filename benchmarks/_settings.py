"""The product's settings, and the naive way beside it in the same server."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks._naive.apps.NaiveConfig"]
ROOT_URLCONF = "benchmarks._urls"
