"""Variables of the server itself: where it listens, where its data are, how much it answers."""

import base64
import contextlib
import os
import re
import tempfile
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator

from config.env.parts import Network, Networks, Part, Words

NEW_VAULT_KEY = "python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'"


class Serving(Part):
    """Storage, addresses, secrets, limits, mail, threads and logs."""

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
        None,
        validation_alias=AliasChoices("PHAROS_VAULT_KEY", "SECRET_VAULT_KEY"),
        description="encrypts stored secrets: keys of 32 bytes in base64 or 64 hex digits, separated by commas, the"
        " newest first; made when DATABASE_URL is unset",
    )
    agent_key: SecretStr | None = Field(None, description="shared key that any agent may use")
    https: bool = Field(False, description="people reach the product over HTTPS: cookies are Secure, HSTS is sent")
    trusted_proxies: Networks = Field([], description="networks (CIDR) whose X-Forwarded-For is believed")
    cors_origins: Words = Field(["http://localhost:5173"], description="origins allowed to call the APIs")
    loadtest_anonymous_from: Networks | None = Field(
        None,
        description="networks (CIDR) that use load testing without a key, with all rights there, or none;"
        " unset: this machine itself, while all parts run in one process without a trusted proxy or public base URL",
    )
    outbound_allow: Networks = Field([], description="private networks (CIDR) that outgoing calls may reach")
    rate_reads: int = Field(600, ge=0, description="reads per minute and principal; 0 = no limit")
    rate_writes: int = Field(120, ge=0, description="writes per minute and principal; 0 = no limit")
    rate_ingest_bytes: int = Field(4_194_304, ge=0, description="ingested bytes per minute and instance; 0 = no limit")
    rate_monitor_requests: int = Field(1200, ge=0, description="monitor API requests per minute and key; 0 = no limit")
    rate_loadtest_requests: int = Field(
        6000, ge=0, description="load testing API requests per minute and principal; 0 = no limit"
    )
    rate_monitor_runs: int = Field(120, ge=0, description="manual runs per minute and key; 0 = no limit")
    email_url: str | None = Field(None, description="smtp://user:password@host:port, smtps:// for TLS at once")
    email_from: str = Field("pharos@localhost", description="sender of e-mails")
    time_zone: str = Field("UTC", description="time zone of people who chose none")
    asgi_threads: int = Field(8, ge=2, le=64, description="threads that answer requests in one web process")
    worker_threads: int = Field(8, ge=1, le=64, description="threads of the embedded worker")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level that is logged")
    log_json: bool = Field(False, description="log lines are JSON objects")
    debug: bool = Field(False, description="for development only: tracebacks in the browser")

    @field_validator("vault_key")
    @classmethod
    def _usable_keys(cls, value: SecretStr | None) -> SecretStr | None:
        for key in map(str.strip, value.get_secret_value().split(",") if value else ()):
            if re.fullmatch("[0-9a-fA-F]{64}", key):
                continue
            try:
                size = len(base64.b64decode(key, validate=True))
            except ValueError:
                size = 0
            if size != 32:
                raise ValueError(f"a key is 32 bytes in base64 or 64 hex digits; make one with: {NEW_VAULT_KEY}")
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
