"""Which columns of load testing hold secrets, those of signals and replay included, so that the key can be changed."""

from loadtest.replay.sessions.models import Session
from loadtest.runs.models import Run
from loadtest.runs.state import context_of as of_run
from loadtest.signals.running.models import Scenario
from loadtest.signals.running.sealing import context_of as of_scenario
from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest
from security.vault import columns


def register() -> None:
    """Called once, when the app is ready."""
    columns.register(Collection, "sealed_variables", Collection.variables.context_of)
    columns.register(Collection, "sealed_auth", Collection.auth.context_of)
    columns.register(SavedRequest, "sealed_auth", SavedRequest.auth.context_of)
    columns.register(Environment, "sealed_variables", Environment.variables.context_of)
    columns.register(Globals, "sealed_variables", Globals.variables.context_of)
    columns.register(Run, "plan", of_run)
    columns.register(Scenario, "plan", of_scenario)
    columns.register(Session, "sealed_fixtures", lambda session: session.fixtures_context)
