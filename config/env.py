"""Every environment variable, its default and its meaning, in one typed class.

`docs/configuration.md` is written from the descriptions here. All faults are told at once.
"""

import base64
import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network
Words = Annotated[list[str], NoDecode]

SECRET_HEADERS = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-public-key"]
SECRET_HEADERS += ["x-auth-token"]
NEW_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105 - a command, not a secret
NEW_VAULT_KEY = "python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'"


class ConfigurationFault(Exception):
    """The environment does not describe a product that can start; the text lists every fault."""


def bare(name: str) -> AliasChoices:
    """The variable with our prefix, or the name that the compatible product gave it."""
    return AliasChoices(f"PHAROS_{name}", name)


class Env(BaseSettings):
    """The environment of one process. Names are the field names in capitals after `PHAROS_`."""

    model_config = SettingsConfigDict(env_prefix="PHAROS_", env_ignore_empty=True, extra="ignore")

    database_url: str | None = Field(
        None, validation_alias="DATABASE_URL", description="PostgreSQL URL; unset: SQLite in the data folder"
    )
    redis_url: str | None = Field(
        None, validation_alias="REDIS_URL", description="Redis URL; unset: all parts run in one process"
    )
    data_dir: Path = Field(Path("data"), description="folder for the database, keys and run files")
    bind: str = Field("127.0.0.1", description="address that the web server listens on")
    port: int = Field(8000, ge=0, le=65535, description="port that the web server listens on")
    base_url: str | None = Field(None, description="address under which people and agents reach the product")
    allowed_hosts: Words = Field(["*"], description="host names that are answered, separated by commas")
    secret_key: SecretStr | None = Field(
        None, description="signs sessions; made and kept in the data folder when DATABASE_URL is unset"
    )
    vault_key: SecretStr | None = Field(
        None, description="32 bytes in base64, encrypts stored secrets; made when DATABASE_URL is unset"
    )
    agent_key: SecretStr | None = Field(None, description="shared key that any agent may use")
    https: bool = Field(False, description="people reach the product over HTTPS: cookies are Secure, HSTS is sent")
    trusted_proxies: Annotated[list[Network], NoDecode] = Field(
        [], description="networks (CIDR) whose X-Forwarded-For is believed"
    )
    cors_origins: Words = Field(["http://localhost:5173"], description="origins allowed to call the APIs")
    loadtest_anonymous_from: Annotated[list[Network] | None, NoDecode] = Field(
        None,
        description="networks (CIDR) that use load testing without a key, with all rights there, or none;"
        " unset: this machine itself, while all parts run in one process without a trusted proxy or public base URL",
    )
    outbound_allow: Annotated[list[Network], NoDecode] = Field(
        [], description="private networks (CIDR) that outgoing calls may reach"
    )
    rate_reads: int = Field(600, ge=0, description="reads per minute and principal; 0 = no limit")
    rate_writes: int = Field(120, ge=0, description="writes per minute and principal; 0 = no limit")
    rate_ingest_bytes: int = Field(4_194_304, ge=0, description="ingested bytes per minute and instance; 0 = no limit")
    rate_monitor_requests: int = Field(1200, ge=0, description="monitor API requests per minute and key; 0 = no limit")
    rate_loadtest_requests: int = Field(
        6000, ge=0, description="load testing API requests per minute and principal; 0 = no limit"
    )
    rate_monitor_runs: int = Field(120, ge=0, description="manual runs per minute and key; 0 = no limit")
    collectors_register: bool = Field(
        False, description="machines that collectors tell of and nobody knows become instances, with an operator's key"
    )
    series_per_instance: int = Field(10_000, ge=1, description="series of collectors that one instance may have")
    series_in_total: int = Field(500_000, ge=1, description="series of collectors that all instances may have together")
    offline_after_s: int = Field(90, ge=15, description="silence in seconds after which an instance counts as lost")
    alert_interval_s: int = Field(3, ge=1, description="seconds between two evaluations of the alert rules")
    alert_group_wait_s: int = Field(1, ge=0, description="seconds that alerts wait for others to be told with")
    alert_group_interval_s: int = Field(10, ge=0, description="least seconds between two messages of a group")
    alert_settle_s: int = Field(
        60, ge=0, description="seconds that what fires again within 10 min must last until it is told; 0: at once"
    )
    commands_need_approval: Words = Field(
        [],
        description="remote commands that a second person must approve: script, bulk, all, or patterns such as reboot,"
        " separated by commas",
    )
    commands_approval_minutes: int = Field(60, ge=1, description="minutes that a command waits for its approval")
    keep_samples_days: int = Field(7, ge=1, description="days that raw metric samples are kept")
    keep_hourly_days: int = Field(30, ge=1, description="days that 5-minute and hourly roll-ups are kept")
    keep_daily_days: int = Field(365, ge=1, description="days that daily roll-ups are kept")
    keep_events_days: int = Field(90, ge=1, description="days that instance events are kept")
    keep_logs_days: int = Field(14, ge=1, description="days that log lines of instances are kept")
    terminal_recording: bool = Field(True, description="what terminals show is recorded, for administrators")
    keep_terminals_days: int = Field(90, ge=1, description="days that ended terminals and recordings are kept")
    keep_commands_days: int = Field(30, ge=1, description="days that remote commands and their output are kept")
    keep_audit_days: int = Field(365, ge=1, description="days that audit entries are kept")
    keep_costs_days: int = Field(800, ge=62, description="days that entries of the cost ledger are kept")
    keep_run_logs_days: int = Field(30, ge=1, description="days that logs of monitor runs are kept")
    keep_runs_days: int = Field(400, ge=1, description="days that monitor runs are kept")
    monitor_min_interval_seconds: int = Field(
        60,
        ge=1,
        validation_alias=bare("MONITOR_MIN_INTERVAL_SECONDS"),
        description="shortest gap of a schedule",
    )
    monitor_max_concurrent: int | None = Field(
        None, ge=1, validation_alias=bare("MONITOR_MAX_CONCURRENT"), description="runs at once; unset: cores"
    )
    monitor_target_deny: Annotated[list[Network], NoDecode] = Field(
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
    keep_captures_days: int = Field(30, ge=1, description="days that captures and imported cases of replay are kept")
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
    license_public_keys: Annotated[dict[str, bytes], NoDecode] = Field(
        {},
        validation_alias=bare("LICENSE_PUBLIC_KEYS"),
        description="kid:base64 Ed25519 public keys, separated by commas; unset: no licence limits anything",
    )
    strict_roles: bool = Field(
        False,
        validation_alias=AliasChoices("PHAROS_STRICT_ROLES", "FLEET_STRICT_ROLES"),
        description="raise the role needed for tasks, deployments and security writes",
    )
    provider_drivers: Annotated[dict[str, str], NoDecode] = Field(
        {},
        description="drivers of instances that are bound to none, by provider, such as docker=docker,fly=sindri-cli",
    )
    docker_host: str | None = Field(
        None, description="Docker Engine of the driver docker: unix:///var/run/docker.sock or tcp://host:port"
    )
    docker_cert_path: Path | None = Field(
        None, description="folder with ca.pem, cert.pem and key.pem for a Docker Engine behind TLS"
    )
    digitalocean_token: SecretStr | None = Field(None, description="API token of the driver digitalocean")
    digitalocean_url: str = Field("https://api.digitalocean.com", description="where that API is")
    ssh_key_file: Path | None = Field(None, description="private key of the driver ssh, without a passphrase")
    ssh_known_hosts: Path | None = Field(
        None, description="host keys that the driver ssh believes, as ssh-keyscan writes them"
    )
    sindri_cli: str | None = Field(
        None,
        validation_alias=AliasChoices("PHAROS_SINDRI_CLI", "SINDRI_BIN_PATH"),
        description="path of the sindri program: the driver sindri-cli and the registry call it; unset: the registry"
        " looks for sindri in PATH",
    )
    registry_catalogue: Path | None = Field(
        None, description="JSON or YAML file with extensions and profiles, instead of the sindri program"
    )
    backup_dir: Path | None = Field(
        None, description="folder for backups that this server keeps; unset: backups in the data folder"
    )
    backup_timeout_s: int = Field(3600, ge=1, le=86_400, description="seconds that one backup may take")
    email_url: str | None = Field(None, description="smtp://user:password@host:port, smtps:// for TLS at once")
    email_from: str = Field("pharos@localhost", description="sender of e-mails")
    time_zone: str = Field("UTC", description="time zone of people who chose none")
    asgi_threads: int = Field(8, ge=2, le=64, description="threads that answer requests in one web process")
    worker_threads: int = Field(8, ge=1, le=64, description="threads of the embedded worker")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level that is logged")
    log_json: bool = Field(False, description="log lines are JSON objects")
    debug: bool = Field(False, description="for development only: tracebacks in the browser")

    @field_validator("allowed_hosts", "cors_origins", "commands_need_approval", "replay_scrub_headers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value

    @field_validator(
        "trusted_proxies", "outbound_allow", "monitor_target_deny", "loadtest_anonymous_from", mode="before"
    )
    @classmethod
    def _networks(cls, value: object) -> object:
        if isinstance(value, str):
            words = [word.strip() for word in value.split(",") if word.strip() not in ("", "none")]
            return [ip_network(word, strict=False) for word in words]
        return value

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

    @field_validator("license_public_keys", mode="before")
    @classmethod
    def _public_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        keys = {}
        for word in value.split(","):
            kid, _, text = word.strip().partition(":")
            try:
                keys[kid] = base64.b64decode(text, validate=True)
            except ValueError:
                keys[kid] = b""
            if not kid or len(keys[kid]) != 32:
                raise ValueError("a public key reads kid:key, the key being 32 bytes in base64")
        return keys

    @field_validator("provider_drivers", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [word.strip().partition("=") for word in value.split(",") if word.strip()]
        if not all(name and driver for name, _, driver in pairs):
            raise ValueError("write provider=driver, separated by commas")
        return {name: driver for name, _, driver in pairs}

    @field_validator("docker_host")
    @classmethod
    def _docker_address(cls, value: str | None) -> str | None:
        if value and not value.startswith(("unix:///", "tcp://")):
            raise ValueError("write unix:///path or tcp://host:port")
        return value

    @field_validator("vault_key")
    @classmethod
    def _usable_keys(cls, value: SecretStr | None) -> SecretStr | None:
        for key in value.get_secret_value().split(",") if value else ():
            try:
                size = len(base64.b64decode(key.strip(), validate=True))
            except ValueError:
                size = 0
            if size != 32:
                raise ValueError(f"a key is 32 bytes in base64; make one with: {NEW_VAULT_KEY}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        from zoneinfo import available_timezones

        if value not in available_timezones():
            raise ValueError(f"{value!r} is no IANA time zone")
        return value

    @property
    def embedded(self) -> bool:
        """True when all parts run in one process, without Redis."""
        return self.redis_url is None

    @property
    def anonymous_from(self) -> list[Network]:
        """From where load testing needs no key. A proxy in front would make the whole world look near."""
        if self.loadtest_anonymous_from is not None:
            return self.loadtest_anonymous_from
        near = self.base_url is None or urlsplit(self.base_url).hostname in ("localhost", "127.0.0.1", "::1")
        alone = self.embedded and not self.trusted_proxies and near
        return [ip_network("127.0.0.0/8"), ip_network("::1/128")] if alone else []

    def kept_secret(self, name: str, given: SecretStr | None, make: Callable[[], str]) -> str:
        """The given secret, else one made once and kept with mode 0600 in the data folder."""
        if given:
            return given.get_secret_value()
        path = self.data_dir / name
        if not path.exists():
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.data_dir)  # mode 0600
            with os.fdopen(handle, "w") as file:
                file.write(make())
            # A link appears whole or not at all, and never replaces what another process made meanwhile.
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            os.unlink(draft)
        return path.read_text().strip()


def make_vault_key() -> str:
    """A new key-encryption key: 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def load() -> Env:
    """Read the environment; raises ConfigurationFault that lists every fault at once."""
    faults = missing_partners(os.environ)
    try:
        env = Env()
    except ValidationError as error:
        faults += [
            f"{variable(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}" for fault in error.errors()
        ]
    if faults:
        raise ConfigurationFault("Pharos cannot start with this environment:\n  " + "\n  ".join(faults))
    return env


def variable(location: tuple[int | str, ...]) -> str:
    """The variable in which a fault lies."""
    name = str(location[0])
    return name if name.isupper() else f"PHAROS_{name.upper()}"


def missing_partners(environ: Mapping[str, str]) -> list[str]:
    """Variables that are set without another one that they need."""
    faults = []
    if environ.get("DATABASE_URL"):
        for name, command in (("PHAROS_SECRET_KEY", NEW_SECRET), ("PHAROS_VAULT_KEY", NEW_VAULT_KEY)):
            if not environ.get(name):
                faults.append(f"{name}: must be set together with DATABASE_URL; make one with: {command}")
    elif environ.get("REDIS_URL"):
        faults.append("REDIS_URL: needs DATABASE_URL, since several processes cannot share one SQLite file well")
    return faults
