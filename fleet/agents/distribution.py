"""The agent for other machines: an installer, and the package that it fetches from here."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from config.api.permissions import ANYONE

SCRIPT = Path(__file__).with_name("install.sh")
NOT_BUILT = "The agent's package has not been built on this server. Build it with: make agent\n"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Program:
    """What an installer needs to know of the program that it installs."""

    title: str  # as people read it
    name: str  # of its folder and its service
    folder: str  # below which this server has installer and package
    key: str  # the variable with its key
    shown_by: str  # the page that shows the key
    minor: int  # Python 3.<minor> is the oldest that it runs on
    settings: str  # further variables that are kept
    command: str


AGENT = Program(
    title="Pharos agent",
    name="pharos-agent",
    folder="/agent",
    key="PHAROS_AGENT_KEY",
    shown_by="Add instance",
    minor=9,
    settings="PHAROS_INSTANCE_ID PHAROS_PROVIDER PHAROS_REGION PHAROS_AGENT_TAGS PHAROS_AGENT_HEARTBEAT "
    "PHAROS_AGENT_METRICS PHAROS_AGENT_LOGS PHAROS_AGENT_JOURNAL PHAROS_AGENT_LOG_DIRS PHAROS_AGENT_COMMANDS "
    "PHAROS_AGENT_TERMINAL PHAROS_AGENT_SHELL",
    command="pharos-agent",
)


def installer(program: Program, *, url: str, wheel: str) -> str:
    """A shell script that installs a program from this server, seen under `url`. It holds no secret."""
    words = {name.upper(): str(value) for name, value in vars(program).items()} | {"URL": url, "WHEEL": wheel}
    script = SCRIPT.read_text(encoding="utf-8")
    for name, value in words.items():
        script = script.replace(f"@{name}@", value)
    return script


def newest_wheel() -> Path | None:
    """The package built last; None when there is none."""
    return max(settings.AGENT_WHEELS.glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime, default=None)


@require_safe
def install_script(request: HttpRequest) -> HttpResponse:
    """The installer of the agent, for the address under which it was fetched."""
    wheel = newest_wheel()
    if wheel is None:
        return HttpResponse(NOT_BUILT, status=404, content_type=TEXT)
    script = installer(AGENT, url=request.build_absolute_uri("/").rstrip("/"), wheel=wheel.name)
    return HttpResponse(script, content_type="text/x-shellscript; charset=utf-8")


@require_safe
def package(request: HttpRequest, name: str) -> HttpResponse | FileResponse:
    """The agent as a wheel."""
    wheel = next((wheel for wheel in settings.AGENT_WHEELS.glob("*.whl") if wheel.name == name), None)
    if wheel is None:
        text = NOT_BUILT if newest_wheel() is None else "There is no such file here.\n"
        return HttpResponse(text, status=404, content_type=TEXT)
    return FileResponse(wheel.open("rb"), content_type="application/octet-stream", as_attachment=True)


for _view in (install_script, package):
    _view.roles = {"get": ANYONE}
urls = [
    path("agent/install.sh", install_script, name="agent-install"),
    path("agent/<str:name>", package, name="agent-package"),
]
