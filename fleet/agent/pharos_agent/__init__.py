"""The Pharos agent: reports one machine's health to a Pharos server."""

__version__ = "0.1.0"
