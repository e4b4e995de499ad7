"""Variables that say how long things are kept."""

from pydantic import Field

from config.env.parts import Part


class Retention(Part):
    """Days after which the nightly tidying drops what is older."""

    keep_samples_days: int = Field(7, ge=1, description="days that raw metric samples are kept")
    keep_hourly_days: int = Field(30, ge=1, description="days that 5-minute and hourly roll-ups are kept")
    keep_daily_days: int = Field(365, ge=1, description="days that daily roll-ups are kept")
    keep_events_days: int = Field(90, ge=1, description="days that instance events are kept")
    keep_logs_days: int = Field(14, ge=1, description="days that log lines of instances are kept")
    keep_terminals_days: int = Field(90, ge=1, description="days that ended terminals and recordings are kept")
    keep_commands_days: int = Field(30, ge=1, description="days that remote commands and their output are kept")
    keep_audit_days: int = Field(365, ge=1, description="days that audit entries are kept")
    keep_costs_days: int = Field(800, ge=62, description="days that entries of the cost ledger are kept")
    keep_run_logs_days: int = Field(30, ge=1, description="days that logs of monitor runs are kept")
    keep_runs_days: int = Field(400, ge=1, description="days that monitor runs are kept")
    keep_captures_days: int = Field(30, ge=1, description="days that captures and imported cases of replay are kept")
