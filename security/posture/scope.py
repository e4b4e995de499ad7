"""Which instances a question is about, and what hangs on them."""

from dataclasses import dataclass

from config.api.authentication import Principal
from fleet.instances.models import Instance, InstanceQuerySet
from security.rotations.models import Rotation, RotationQuerySet
from security.ssh_keys.models import SshKey, SshKeyQuerySet
from security.vulnerabilities.models import Finding, FindingQuerySet


@dataclass(frozen=True)
class Scope:
    """Everything that the caller sees; with `instance` (which the caller may see) that one alone.

    What is kept for history only is at no risk and left out, unless it is asked for by itself.
    """

    principal: Principal | None
    instance: Instance | None = None

    def instances(self) -> InstanceQuerySet:
        if self.instance:
            return Instance.objects.filter(pk=self.instance.pk)
        return Instance.objects.visible_to(self.principal).existing()

    def findings(self) -> FindingQuerySet:
        return Finding.objects.filter(instance__in=self.instances())

    def rotations(self) -> RotationQuerySet:
        return Rotation.objects.filter(instance__in=self.instances())

    def keys(self) -> SshKeyQuerySet:
        return SshKey.objects.filter(instance__in=self.instances())
