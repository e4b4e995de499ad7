"""The `sindri` program, which knows the providers that it deployed to (contract: fleet console §5.2)."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from django.conf import settings

from fleet.providers.base import DESTROY, RESUME, SUSPEND, Driver, Plan
from fleet.providers.programs import run

TIMEOUT_S = 120.0
DEPLOY_TIMEOUT_S = 1800.0


class SindriDriver(Driver):
    """Calls the program with a small file that names the deployment and its provider."""

    name, title, deploys = "sindri-cli", "Sindri", True

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

    def deploy(self, plan: Plan) -> None:
        words = ["deploy", *(["--force"] if plan.force else [])]
        self._call(words, plan.configuration, timeout_s=DEPLOY_TIMEOUT_S, environment=plan.environment)

    def _run(self, *words: str) -> None:
        machine = self.machine
        told = {"version": "3.0", "name": machine.name, "deployment": {"provider": machine.provider}}
        self._call(words, yaml.safe_dump(told), timeout_s=TIMEOUT_S)

    def _call(
        self,
        words: Sequence[str],
        configuration: str,
        *,
        timeout_s: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        argv, what = [settings.SINDRI_CLI, *words, "--config"], f"sindri {words[0]}"
        with tempfile.TemporaryDirectory(prefix="pharos-") as folder:
            file = Path(folder) / "sindri.yaml"
            file.write_text(configuration)
            run([*argv, str(file)], timeout_s=timeout_s, what=what, environment=environment)
