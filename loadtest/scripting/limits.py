"""What the settings allow a script (contract: load testing §3.2)."""

from loadtest.workspace import configuration

from .facts import Limits


def configured() -> Limits:
    """The limits of this moment."""
    settings = configuration.values()
    return Limits(
        timeout_ms=settings["scriptTimeout"],
        memory_bytes=settings["scriptMemoryLimit"],
        stack_bytes=settings["scriptStackSize"],
        console=settings["scriptEnableConsole"],
        at_once=settings["contextPoolSize"],
    )
