"""Which driver acts on which instance."""

from django.conf import settings

from config.api.errors import ApiError
from fleet.instances.models import Instance
from fleet.providers.agent import AgentDriver
from fleet.providers.base import Driver, DriverFailed, Machine
from fleet.providers.digitalocean import DigitalOceanDriver
from fleet.providers.docker import DockerDriver
from fleet.providers.models import Binding
from fleet.providers.none import NoDriver
from fleet.providers.sindri import SindriDriver
from fleet.providers.ssh import SshDriver

DRIVERS: dict[str, type[Driver]] = {
    driver.name: driver for driver in (NoDriver, AgentDriver, DockerDriver, SshDriver, DigitalOceanDriver, SindriDriver)
}


def driver_of(instance: Instance) -> Driver:
    """The driver that the instance is bound to, else the one for its provider, else none.

    Raises DriverFailed when what was stored about it cannot be read.
    """
    binding = Binding.objects.filter(pk=instance.pk).first()
    name = binding.driver if binding else settings.PROVIDER_DRIVERS.get(instance.provider, NoDriver.name)
    try:
        machine = Machine(
            instance_id=instance.pk,
            name=instance.name,
            provider=instance.provider,
            target=binding.target if binding else "",
            options=binding.options if binding else {},
        )
        return DRIVERS[name](machine)
    except (ApiError, ValueError):  # another vault key; an option of another version
        raise DriverFailed(f"What was stored about the driver of '{instance.name}' cannot be read") from None
