"""The product's settings, and the stock channel layer for the yardstick alone."""

from config.settings import *  # noqa: F403

CHANNEL_LAYERS = {"stock": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
