"""The models of the slices, where Django looks for them."""

from fleet.instances.models import Event, Instance, Inventory
from fleet.metrics.models import Rollup, StoredSample, TouchedBucket

__all__ = ["Event", "Instance", "Inventory", "Rollup", "StoredSample", "TouchedBucket"]
