"""The agent for other machines: an installer, and the package that it fetches from here."""

from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from config.api.permissions import ANYONE

SCRIPT = Path(__file__).with_name("install.sh")
NOT_BUILT = "The agent's package has not been built on this server. Build it with: make agent\n"
TEXT = "text/plain; charset=utf-8"


def newest_wheel() -> Path | None:
    """The package built last; None when there is none."""
    return max(settings.AGENT_WHEELS.glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime, default=None)


@require_safe
def install_script(request: HttpRequest) -> HttpResponse:
    """A shell script that installs the agent from the address under which it was fetched. It holds no secret."""
    wheel = newest_wheel()
    if wheel is None:
        return HttpResponse(NOT_BUILT, status=404, content_type=TEXT)
    url = request.build_absolute_uri("/").rstrip("/")
    script = SCRIPT.read_text(encoding="utf-8").replace("@URL@", url).replace("@WHEEL@", wheel.name)
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
