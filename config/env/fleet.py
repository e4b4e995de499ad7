"""Variables of the fleet: collectors, alerts, remote commands, and the drivers of machines."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from config.env.parts import Part, Words


class Fleet(Part):
    """What is known of machines, and what may be done to them."""

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
    terminal_recording: bool = Field(True, description="what terminals show is recorded, for administrators")
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
