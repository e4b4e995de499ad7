"""The `sindri` program, which knows the providers that it deployed to (contract: fleet console §5.2)."""

import tempfile
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from fleet.providers.base import DESTROY, RESUME, SUSPEND, Driver
from fleet.providers.programs import run

TIMEOUT_S = 120.0


class SindriDriver(Driver):
    """Calls the program with a small file that names the deployment and its provider."""

    name, title = "sindri-cli", "Sindri"

    @property
    def lacking(self) -> str | None:
        return None if settings.SINDRI_CLI else "Sindri is not set up: PHAROS_SINDRI_CLI is missing."

    def possible(self) -> frozenset[str]:
        return frozenset({SUSPEND, RESUME, DESTROY})

    def suspend(self) -> None:
        self._run("stop")

    def resume(self) -> None:
        self._run("start")

    def destroy(self) -> None:
        self._run("destroy", "--force")

    def _run(self, *words: str) -> None:
        machine = self.machine
        deployment: dict[str, Any] = {"provider": machine.provider}
        with tempfile.TemporaryDirectory(prefix="pharos-") as folder:
            file = Path(folder) / "sindri.yaml"
            file.write_text(yaml.safe_dump({"version": "3.0", "name": machine.name, "deployment": deployment}))
            argv = [settings.SINDRI_CLI, *words, "--config", str(file)]
            run(argv, timeout_s=TIMEOUT_S, what=f"sindri {words[0]}")
