"""What is installed where (contract: fleet console §22, §31.5)."""

from django.conf import settings
from django.db import models


class Component(models.Model):
    """A package in one version, stored once however many instances have it; names as the ecosystem compares them.

    Advisories of Debian, Ubuntu and Alpine speak of the source package that it was built from.
    """

    ecosystem = models.CharField(max_length=64)
    name = models.CharField(max_length=256)
    version = models.CharField(max_length=256)
    license = models.CharField(max_length=256, null=True)
    source_name = models.CharField(max_length=256, null=True)
    source_version = models.CharField(max_length=256, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["ecosystem", "name", "version"], name="component_once"),)

    def __str__(self) -> str:
        return f"{self.ecosystem}/{self.name} {self.version}"


class Source(models.TextChoices):
    AGENT = "agent", "Agent"
    UPLOAD = "upload", "Uploaded"


class Inventory(models.Model):
    """The newest list of packages that one source gave of an instance.

    `notes`: what could not be listed, and why. `received_from`: the person who uploaded it; empty for an agent.
    """

    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="inventories")
    source = models.CharField(max_length=8, choices=Source)
    received_at = models.DateTimeField()
    received_from = models.CharField(max_length=254, blank=True)
    digest = models.CharField(max_length=64)
    packages = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=list)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "source"], name="inventory_source_once"),)

    def __str__(self) -> str:
        return f"{self.packages} packages of {self.instance_id} from {self.source}"


class Installed(models.Model):
    """A component on an instance, as a source reported it."""

    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="installed")
    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="installed")
    source = models.CharField(max_length=8, choices=Source)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "component", "source"], name="installed_once"),)

    def __str__(self) -> str:
        return f"{self.component_id} on {self.instance_id}"


class VexStatement(models.Model):
    """What a bill of material says of one vulnerability on an instance (CycloneDX `analysis`).

    `package` limits it to one package; empty holds for every package of the instance.
    """

    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="vex_statements")
    vulnerability = models.CharField(max_length=128)
    ecosystem = models.CharField(max_length=64, blank=True)
    package = models.CharField(max_length=256, blank=True)
    state = models.CharField(max_length=32)
    justification = models.CharField(max_length=64, blank=True)
    detail = models.CharField(max_length=2000, blank=True)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["instance", "vulnerability", "ecosystem", "package"], name="vex_statement_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.vulnerability} {self.state} on {self.instance_id}"
