"""The models of the slices, where Django looks for them."""

from fleet.collectors.models import HostFeed, Series, StoredPoint
from fleet.commands.models import Batch, Execution, Output
from fleet.deployments.models import Deployment
from fleet.instances.models import Event, Instance, Inventory
from fleet.lifecycle.models import Backup, Operation
from fleet.metrics.models import Rollup, StoredSample, TouchedBucket
from fleet.providers.models import Binding
from fleet.terminals.models import TerminalOutput, TerminalRecording, TerminalSession

__all__ = [
    "Backup",
    "Batch",
    "Binding",
    "Batch",
    "Deployment",
    "Event",
    "Execution",
    "Execution",
    "HostFeed",
    "Instance",
    "Inventory",
    "Operation",
    "Output",
    "Rollup",
    "Series",
    "StoredPoint",
    "StoredSample",
    "TerminalOutput",
    "TerminalRecording",
    "TerminalSession",
    "TouchedBucket",
]
