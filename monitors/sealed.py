"""Which columns of this app hold secrets, so that the vault's key can be changed."""

from monitors.licence.models import Licence
from monitors.licence.services import CONTEXT
from monitors.monitors.models import Monitor
from monitors.monitors.parameters import context_of
from monitors.runs.models import Run
from monitors.trials.models import Trial
from security.vault import columns


def register() -> None:
    """Called once, when the app is ready."""
    columns.register(Licence, "key", lambda licence: CONTEXT)
    columns.register(Monitor, "parameters", lambda monitor, name: context_of(monitor.pk, name), nested=True)
    columns.register(Run, "spec", lambda run, name: context_of(run.monitor_id, name), nested=True)
    columns.register(Trial, "parameters", lambda trial, name: context_of(trial.sealed_for, name), nested=True)
