"""Which Chromium is driven, and how it is started."""

import shutil
from importlib.util import find_spec

from django.conf import settings

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
INSTALL = "pip install playwright; apt-get install chromium (or set PHAROS_CHROMIUM to a program)"
METADATA = ("169.254.*", "[fd00:ec2::254]")  # addresses that hand out a machine's credentials


def find() -> str | None:
    """The browser of the setting, else one in PATH; None also without the library that drives it."""
    if find_spec("playwright") is None:
        return None
    if settings.CHROMIUM:
        return shutil.which(settings.CHROMIUM)
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def arguments() -> list[str]:
    """Chromium calls nobody by itself, and reaches no metadata address."""
    return [
        *("--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--disable-breakpad"),
        "--host-resolver-rules=" + ", ".join(f"MAP {pattern} ~NOTFOUND" for pattern in METADATA),
    ]
