"""From what agents tell to inventories and SSH keys (contract: fleet console §31.5)."""

from datetime import datetime

from fleet.agents.shapes import Installed
from fleet.instances.models import Instance
from security.bom import services
from security.bom.models import Source
from security.bom.packages import Package


def packages_told(instance: Instance, report: Installed, now: datetime) -> None:
    """Keep the packages of a report. Raises Invalid."""
    if report.packages is None:
        return
    packages = [
        Package(one.name, one.version, one.ecosystem, one.license, one.source_name, one.source_version)
        for one in report.packages
    ]
    services.replace(instance=instance, source=Source.AGENT, packages=packages, notes=report.notes, now=now)
