"""The monitor agent for other machines: its installer, and this very server's code as a package.

The package is made from the files that run here, so an agent always speaks its server's language. It needs a few of
the product's libraries; what it needs is listed here and held by a test.
"""

import re
import tomllib
from functools import cache
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from config.api.permissions import ANYONE
from config.version import VERSION
from fleet.agents.distribution import Program, installer

NAME = f"pharos_monitor_agent-{VERSION}-py3-none-any.whl"
PACKAGES = ("config", "security", "monitors", "loadtest")
LIBRARIES = {
    *("django", "cryptography", "urllib3", "certifi", "idna", "requests", "msgspec", "pydantic-settings"),
    *("hdrhistogram", "psutil", "defusedxml", "k6"),
}
PROGRAM = Program(
    title="Pharos monitor agent",
    name="pharos-monitor-agent",
    folder="/monitor-agent",
    key="PHAROS_MONITOR_TOKEN",
    shown_by="Add agent",
    minor=11,
    settings="PHAROS_OUTBOUND_ALLOW MONITOR_TARGET_DENY MONITOR_MAX_CONCURRENT MONITOR_ALLOW_UNSANDBOXED "
    "PHAROS_CHROMIUM",
    command="pharos monitors agent",
)


@require_safe
def install_script(request: HttpRequest) -> HttpResponse:
    """The installer, for the address under which it was fetched."""
    script = installer(PROGRAM, url=request.build_absolute_uri("/").rstrip("/"), wheel=NAME)
    return HttpResponse(script, content_type="text/x-shellscript; charset=utf-8")


@require_safe
def package(request: HttpRequest, name: str) -> HttpResponse:
    """The agent as a wheel."""
    if name != NAME:
        return HttpResponse("There is no such file here.\n", status=404, content_type="text/plain; charset=utf-8")
    headers = {"Content-Disposition": f'attachment; filename="{NAME}"'}
    return HttpResponse(wheel(), content_type="application/octet-stream", headers=headers)


@cache
def wheel() -> bytes:
    """The package: the files, with a command `pharos` that knows the monitors' commands only."""
    info = NAME.removesuffix("-py3-none-any.whl") + ".dist-info"
    wanted = "".join(f"Requires-Dist: {line}\n" for line in needed())
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: pharos-monitor-agent\nVersion: {VERSION}\n"
        f"Requires-Python: >=3.{PROGRAM.minor}\n{wanted}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: pharos\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\npharos = config.cli:main\n",
    }
    files |= {str(file.relative_to(settings.BASE_DIR)): file.read_text(encoding="utf-8") for file in sources()}
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(ZipInfo(name), text, compress_type=ZIP_DEFLATED)
    return made.getvalue()


def sources() -> list[Path]:
    """The files of the package."""
    found = [file for package in PACKAGES for file in sorted((settings.BASE_DIR / package).rglob("*.py"))]
    tools = settings.BASE_DIR / "monitors" / "tools"
    found += [file for pattern in ("*.js", "*.jmx") for file in sorted(tools.rglob(pattern))]
    return [file for file in found if not {"migrations", "__pycache__"} & set(file.parts)]


def needed() -> list[str]:
    """The libraries, with the versions that the product itself asks for."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["tools"]]
    return [line for line in lines if re.split(r"[^A-Za-z0-9-]", line)[0].lower() in LIBRARIES]


for _view in (install_script, package):
    _view.roles = {"get": ANYONE}
urls = [
    path("monitor-agent/install.sh", install_script, name="monitor-agent-install"),
    path("monitor-agent/<str:name>", package, name="monitor-agent-package"),
]
