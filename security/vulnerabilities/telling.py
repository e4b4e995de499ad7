"""The hint to open pages that findings have changed: they fetch anew what they show."""

from django.db import transaction

from config import live

TOPIC = "security"


def tell() -> None:
    """After the commit. Call it once a change, however many findings it touches."""
    transaction.on_commit(lambda: live.publish(TOPIC, {"kind": "findings"}))
