"""The `pharos` command: Django's management commands, and the programs that need no server of their own."""

import os
import sys


def main() -> None:
    """Run one command. Exit code 2 stands for wrong use or a wrong configuration."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["agent"]:
        from pharos_agent.main import main as agent_main

        sys.exit(agent_main(sys.argv[2:]))
    if sys.argv[1:2] == ["load"]:
        from loadtest.engine.cli import main as load_main

        sys.exit(load_main(sys.argv[2:]))
    if sys.argv[1:2] == ["commands"]:
        from fleet.commands.cli import main as commands_main

        sys.exit(commands_main(sys.argv[2:]))
    if sys.argv[1:2] == ["monitors"]:
        from monitors.cli.main import main as monitors_main

        sys.exit(monitors_main(sys.argv[2:]))

    from django.core.management import execute_from_command_line

    from config.env import ConfigurationFault

    try:
        execute_from_command_line(["pharos", *sys.argv[1:]])
    except ConfigurationFault as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(2)
