"""The `pharos` command: Django's management commands, and the programs that need no server of their own."""

import os
import sys
from importlib import import_module

# Each is a module with `main(arguments) -> exit code`; only the one that is asked for is imported.
PROGRAMS = {
    "agent": "pharos_agent.main",
    "load": "loadtest.engine.cli",
    "signals": "loadtest.signals.cli",
    "gateway": "loadtest.replay.gateway.main",
    "commands": "fleet.commands.cli",
    "monitors": "monitors.cli.main",
}


def main() -> None:
    """Run one command. Exit code 2 stands for wrong use or a wrong configuration."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if program := PROGRAMS.get(sys.argv[1] if len(sys.argv) > 1 else ""):
        sys.exit(import_module(program).main(sys.argv[2:]))

    from django.core.management import execute_from_command_line

    from config.env import ConfigurationFault

    try:
        execute_from_command_line(["pharos", *sys.argv[1:]])
    except ConfigurationFault as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(2)
