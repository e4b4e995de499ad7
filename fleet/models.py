"""The models of the slices, where Django looks for them."""

from fleet.instances.models import Event, Instance, Inventory

__all__ = ["Event", "Instance", "Inventory"]
