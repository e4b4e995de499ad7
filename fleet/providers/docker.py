"""Containers of a Docker Engine (https://docs.docker.com/reference/api/engine/version/v1.40/)."""

import copy
import json
import re
import tarfile
from pathlib import PurePosixPath

from django.conf import settings

from fleet.providers import archives
from fleet.providers.base import (
    ACTION_TIMEOUT_S,
    BACKUP,
    DESTROY,
    RESUME,
    SUSPEND,
    Archive,
    Driver,
    DriverFailed,
    Order,
)
from fleet.providers.engine import call, path, stream

CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
LABEL = "pharos.instance"
GRACE_S = 10  # between the request to stop and the end by force
GONE = 404


class DockerDriver(Driver):
    """Stops, starts and removes the container; a backup holds its volumes, or all of its files when it has none.

    Without a target it is the one container that carries the label `pharos.instance` with the instance's name.
    """

    name, title, target_label = "docker", "Docker", "name or id of the container"

    @classmethod
    def check_target(cls, target: str) -> None:
        if target and not CONTAINER.fullmatch(target):
            raise ValueError("Write the name or the id of a container.")

    @property
    def lacking(self) -> str | None:
        return None if settings.DOCKER_HOST else "Docker is not set up: PHAROS_DOCKER_HOST is missing."

    def possible(self) -> frozenset[str]:
        return frozenset({SUSPEND, RESUME, DESTROY, BACKUP})

    def suspend(self) -> None:
        address = path("containers", self._container(), "stop", t=GRACE_S)
        call("POST", address, timeout_s=ACTION_TIMEOUT_S)

    def resume(self) -> None:
        address = path("containers", self._container(), "start")
        call("POST", address, timeout_s=ACTION_TIMEOUT_S)

    def destroy(self) -> None:
        """Named volumes stay: they were made apart from the container."""
        address = path("containers", self._container(), force="true", v="true")
        call("DELETE", address, timeout_s=ACTION_TIMEOUT_S, fine=(GONE,))

    def backup(self, order: Order) -> Archive:
        container = self._container()
        facts = call("GET", path("containers", container, "json"), timeout_s=ACTION_TIMEOUT_S)
        volumes = sorted(str(one["Destination"]) for one in facts.get("Mounts") or [] if one.get("Type") == "volume")
        with archives.writing(order, instance_id=self.machine.instance_id) as made:
            if not volumes:
                with stream(path("containers", container, "export"), timeout_s=ACTION_TIMEOUT_S) as answer:
                    while piece := answer.read(archives.READ):
                        made.write(piece)
            else:
                with tarfile.open(mode="w|", fileobj=made, format=tarfile.PAX_FORMAT) as whole:  # type: ignore[call-overload]
                    for volume in volumes:
                        _copy(container, volume, whole)
        return made.done()

    def _container(self) -> str:
        """The target, else the only container with the label."""
        if self.machine.target:
            return self.machine.target
        wanted = json.dumps({"label": [f"{LABEL}={self.machine.name}"]})
        found = call("GET", path("containers", "json", all="true", filters=wanted), timeout_s=ACTION_TIMEOUT_S)
        if not found:
            raise DriverFailed(f"No container carries the label {LABEL}={self.machine.name}")
        if len(found) > 1:
            raise DriverFailed(f"{len(found)} containers carry the label {LABEL}={self.machine.name}")
        return str(found[0]["Id"])


def _copy(container: str, volume: str, whole: tarfile.TarFile) -> None:
    """Append the files of a volume under the path at which the container sees them."""
    above = PurePosixPath(volume).parent.relative_to("/")
    with stream(path("containers", container, "archive", path=volume), timeout_s=ACTION_TIMEOUT_S) as answer:
        try:
            with tarfile.open(mode="r|", fileobj=answer) as part:
                for member in part:
                    moved = copy.copy(member)
                    moved.name = str(above / member.name)
                    if member.islnk():
                        moved.linkname = str(above / member.linkname)
                    whole.addfile(moved, part.extractfile(member) if member.isreg() else None)
        except tarfile.TarError as error:
            raise DriverFailed(f"Docker sent an archive that cannot be read: {error}") from None
