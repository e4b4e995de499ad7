"""How an agent joins: one command to copy, with the agent's token already in it."""

import shlex

from fleet.agents.joining import IMAGE, Way, server_url
from monitors.agents.distribution import NAME, PROGRAM

__all__ = ["command_for", "server_url", "ways"]


def command_for(*, token: str, url: str) -> str:
    """The command that installs and starts the agent on another machine; `url` is this server as seen from there."""
    return ways(token=token, url=url)[0].text


def ways(*, token: str, url: str) -> list[Way]:
    """All ways, the usual one first. The token never becomes an argument of a program, where others could read it."""
    variables = {"PHAROS_URL": url, PROGRAM.key: token}
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    names = "".join(f" --env {name}" for name in variables)
    package = f"{url}{PROGRAM.folder}/{NAME}"
    start = f"pip install --quiet --root-user-action ignore {package} && exec {PROGRAM.command}"
    return [
        Way(
            "shell",
            "Shell",
            "Needs Python 3.11 or newer. As root the agent starts with the machine; otherwise the last line that is "
            "printed starts it.",
            f"curl -fsSL {shlex.quote(url)}{PROGRAM.folder}/install.sh | {assignments} sh",
        ),
        Way(
            "container",
            "Container",
            "Scripts of monitors see nothing of the host.",
            f"{assignments} \\\n  docker run --detach --name {PROGRAM.name} --restart unless-stopped{names} \\\n"
            f"  {IMAGE} sh -c {shlex.quote(start)}",
        ),
    ]
