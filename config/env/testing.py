"""Variables of monitors, load testing, replay and signals."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator

from config.env.parts import Networks, Part, Words, bare

SECRET_HEADERS = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-public-key"]
SECRET_HEADERS += ["x-auth-token"]


class Testing(Part):
    """What tests may do, and how much of it."""

    monitor_min_interval_seconds: int = Field(
        60,
        ge=1,
        validation_alias=bare("MONITOR_MIN_INTERVAL_SECONDS"),
        description="shortest gap of a schedule",
    )
    monitor_max_concurrent: int | None = Field(
        None, ge=1, validation_alias=bare("MONITOR_MAX_CONCURRENT"), description="runs at once; unset: cores"
    )
    monitor_target_deny: Networks = Field(
        [],
        validation_alias=bare("MONITOR_TARGET_DENY"),
        description="networks (CIDR) that monitors never reach",
    )
    chromium: str | None = Field(None, description="Chromium for browser monitors; unset: the one in PATH")
    monitor_allow_unsandboxed: bool = Field(
        False,
        validation_alias=bare("MONITOR_ALLOW_UNSANDBOXED"),
        description="administrators may use the monitor tools jmeter, locust and browser, whose scripts run any code",
    )
    load_max_rps: float = Field(
        10_000,
        gt=0,
        le=1_000_000,
        description="requests per second of a load test, unless an administrator starts it",
    )
    load_max_duration_s: float = Field(3600, gt=0, le=86_400, description="seconds that one load test may last")
    load_max_concurrency: int = Field(2000, ge=1, le=10_000, description="concurrent requests of one load test")
    load_max_in_flight: int = Field(
        100_000, ge=1, le=1_000_000, description="requests in flight of one load test at a fixed rate"
    )
    load_max_concurrent: int | None = Field(
        None, ge=1, description="load tests that one worker makes at once; unset: what its threads allow"
    )
    load_shards: int = Field(1, ge=1, le=32, description="workers that a load test is spread over unless it says so")
    load_keep_runs: int = Field(200, ge=1, description="runs of load testing that are kept, the newest")
    load_keep_days: int = Field(30, ge=1, description="days that runs of load testing are kept")
    replay_api_token: SecretStr | None = Field(
        None,
        min_length=16,
        validation_alias=AliasChoices("PHAROS_REPLAY_API_TOKEN", "REPLAY_API_TOKEN", "SOFTPROBE_API_TOKEN"),
        description="one token for all of the replay API, beside API keys",
    )
    replay_capture_dir: Path | None = Field(
        None, validation_alias=bare("REPLAY_CAPTURE_DIR"), description="folder for copies of closed captures, if any"
    )
    replay_capture_name: str = Field(
        "{sessionId}.case.json", description="name of such a copy, with {sessionId}, {ts} and {mode}"
    )
    replay_scrub_headers: Words = Field(
        SECRET_HEADERS, description="headers whose values replay does not keep, separated by commas, or none"
    )
    replay_max_body_bytes: int = Field(16 << 20, ge=16 << 20, le=256 << 20, description="size of a body sent to replay")
    replay_max_capture_bytes: int = Field(1 << 30, ge=1 << 20, description="size of the traces of one capture, as JSON")
    replay_expire_hours: int = Field(24, ge=1, description="hours after which an untouched replay session is closed")
    signals_max_scenarios: int = Field(
        200,
        ge=0,
        validation_alias=bare("SIGNALS_MAX_SCENARIOS"),
        description="synthetic scenarios there may be, finished ones included; 0 = no limit",
    )
    signals_max_body_bytes: int = Field(
        1_048_576, ge=1024, validation_alias=bare("SIGNALS_MAX_BODY_BYTES"), description="size of a scenario's body"
    )
    signals_scrape_default: Literal["drain", "snapshot"] = Field(
        "drain",
        validation_alias=bare("SIGNALS_SCRAPE_DEFAULT"),
        description="what a scrape of one scenario gets: drain (new lines, once) or snapshot (the latest values)",
    )
    signals_resume: bool = Field(
        True,
        validation_alias=bare("SIGNALS_RESUME"),
        description="scenarios whose runner is gone start over; off: they are finished",
    )
    signals_env_allowlist: Words = Field(
        [
            *("LOKI_URL", "VICTORIAMETRICS_URL", "VICTORIAMETRICS_REMOTE_WRITE_URL", "VMAGENT_URL", "PROMETHEUS_URL"),
            *("KAFKA_BROKERS", "OTLP_GRPC_ENDPOINT"),
        ],
        validation_alias=bare("SIGNALS_ENV_ALLOWLIST"),
        description="environment variables that scenarios may name as ${NAME}, separated by commas",
    )
    signals_allow_private_targets: bool | None = Field(
        None,
        validation_alias=bare("SIGNALS_ALLOW_PRIVATE_TARGETS"),
        description="sinks of scenarios may reach this machine and private networks; unset: while all parts run in"
        " one process",
    )

    @field_validator("replay_scrub_headers")
    @classmethod
    def _header_names(cls, value: list[str]) -> list[str]:
        return [name.lower() for name in value if name.lower() != "none"]

    @field_validator("replay_capture_name")
    @classmethod
    def _file_name(cls, value: str) -> str:
        try:
            value.format(sessionId="", ts="", mode="")
        except (KeyError, IndexError, ValueError, AttributeError):
            raise ValueError("a name may hold {sessionId}, {ts} and {mode}") from None
        return value
