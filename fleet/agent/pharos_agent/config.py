"""The agent's configuration: command-line flags before environment before defaults.

Each setting has a `PHAROS_` name; the `SINDRI_` names of the fleet console's agent work as synonyms
(contract: fleet console §31). The key never comes from the command line, where other users could read it.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pharos_agent import __version__, state
from pharos_agent.logs import LEVELS

PROVIDERS = (
    "fly docker devpod e2b kubernetes digitalocean gcp azure aws runpod northflank ssh".split()  # noqa: SIM905
)
INSTANCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)?")
UNIT_S = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "h": 3600.0}
MAX_TAGS, MAX_PATTERNS = 64, 50
SWITCHES = {
    "0": False, "false": False, "no": False, "off": False, "1": True, "true": True, "yes": True, "on": True,
}  # fmt: skip


class ConfigError(Exception):
    """Everything that is wrong with the configuration, one sentence each in `faults`."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Config:
    """What one agent needs to know. Durations are in seconds."""

    url: str  # of the server, without a trailing slash
    key: str = field(repr=False)
    instance_id: str
    provider: str = "ssh"  # a machine that registered itself
    region: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    heartbeat_s: float = 30.0
    metrics_s: float = 60.0
    logs: Sequence[str] = ()  # patterns of files to follow
    journal: bool = False  # whether to follow the journal of systemd
    log_dirs: Sequence[str] = ()  # directories whose files people may look at
    commands: bool = True  # whether people may run commands on this machine
    terminal: bool = True  # whether people may open terminals on this machine
    inventory: bool = True  # whether packages and authorised keys of this machine are listed
    shell: str | None = None  # the one they get; None: the user's own
    state_dir: Path | None = None  # None: nothing is kept on disk
    log_level: str = "info"
    parent_pid: int | None = None  # the agent stops when this process has gone

    # The pace of the protocol: the same in every installation.
    first_sample_s: float = 1.0
    first_inventory_s: float = 10.0
    inventory_s: float = 6 * 3600.0  # between two looks; a list that is the same is not sent again for a day
    registration_pauses_s: Sequence[float] = (2.0, 4.0, 8.0, 16.0)
    backoff_min_s: float = 1.0
    backoff_max_s: float = 60.0
    refused_backoff_s: float = 10.0
    confirm_timeout_s: float = 15.0
    replay_samples_per_s: float = 100.0

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def load(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the configuration from flags and environment. Raises ConfigError with every fault found."""
    flags = vars(_parser().parse_args(argv))
    return _Reader(flags, os.environ if environ is None else environ).read()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pharos-agent",
        description="Reports this machine's health to a Pharos server.",
        epilog="The key comes from PHAROS_AGENT_KEY or from a file. See the README for all settings.",
    )
    parser.add_argument("--url", help="address of the server, for example https://pharos.example.com (PHAROS_URL)")
    parser.add_argument("--key-file", help="file that holds the agent key (PHAROS_AGENT_KEY_FILE)")
    parser.add_argument("--instance-id", help="default: the host's name (PHAROS_INSTANCE_ID)")
    parser.add_argument("--heartbeat-s", help="seconds between heartbeats, default 30 (PHAROS_AGENT_HEARTBEAT)")
    parser.add_argument("--metrics-s", help="seconds between samples, default 60 (PHAROS_AGENT_METRICS)")
    parser.add_argument("--state-dir", help="where to keep waiting samples (PHAROS_AGENT_STATE_DIR)")
    parser.add_argument("--log-level", help="debug, info, warning or error (PHAROS_LOG_LEVEL)")
    parser.add_argument("--version", action="version", version=f"pharos-agent {__version__}")
    return parser


class _Reader:
    """Reads each setting and collects the faults, so that all are told at once."""

    def __init__(self, flags: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self._flags = flags
        self._environ = environ
        self._faults: list[str] = []

    def read(self) -> Config:
        url, key = self._url(), self._key()
        state_dir = self._state_dir()
        values: dict[str, Any] = {
            "instance_id": self._instance_id(state_dir),
            "provider": self._provider(),
            "region": self._text("PHAROS_REGION", "SINDRI_REGION", limit=64),
            "tags": self._tags(),
            "heartbeat_s": self._interval(30.0, "PHAROS_AGENT_HEARTBEAT", "SINDRI_AGENT_HEARTBEAT", flag="heartbeat_s"),
            "metrics_s": self._interval(60.0, "PHAROS_AGENT_METRICS", "SINDRI_AGENT_METRICS", flag="metrics_s"),
            "logs": self._paths("PHAROS_AGENT_LOGS", "paths, such as /var/log/*.log"),
            "journal": self._switch("PHAROS_AGENT_JOURNAL"),
            "log_dirs": self._paths("PHAROS_AGENT_LOG_DIRS", "directories, such as /var/log/nginx"),
            "commands": self._switch("PHAROS_AGENT_COMMANDS", default=True),
            "terminal": self._switch("PHAROS_AGENT_TERMINAL", default=True),
            "inventory": self._switch("PHAROS_AGENT_INVENTORY", default=True),
            "shell": self._text("PHAROS_AGENT_SHELL", "SINDRI_AGENT_SHELL", limit=256),
            "state_dir": state_dir,
            "log_level": self._log_level(),
            "parent_pid": self._parent_pid(),
        }
        if self._faults:
            raise ConfigError(self._faults)
        return Config(url=url, key=key, **values)

    def _get(self, *names: str, flag: str = "") -> tuple[str, str]:
        """The first setting that is given, as (its name, its value); ("", "") if none is."""
        if flag and self._flags.get(flag):
            return f"--{flag.replace('_', '-')}", str(self._flags[flag]).strip()
        for name in names:
            value = self._environ.get(name, "").strip()
            if value:
                return name, value
        return "", ""

    def _text(self, *names: str, limit: int) -> str | None:
        name, value = self._get(*names)
        if len(value) > limit:
            self._faults.append(f"{name} is longer than {limit} characters.")
        return value or None

    def _url(self) -> str:
        name, value = self._get("PHAROS_URL", "SINDRI_CONSOLE_URL", flag="url")
        if not value:
            self._faults.append("PHAROS_URL (or --url) is missing: the address of the server.")
            return ""
        try:
            parts = urlsplit(value)
            has_host = bool((parts.hostname or "").encode("idna"))
            valid = parts.scheme in {"http", "https"} and has_host and parts.port != 0
        except ValueError:
            valid = False
        if not valid or not re.fullmatch("[!-~]+", value):
            self._faults.append(f"{name} is not an address such as https://pharos.example.com.")
        elif "@" in parts.netloc or parts.query or parts.fragment:
            self._faults.append(f"{name} may hold scheme, host, port and path only.")
        return value.rstrip("/")

    def _key(self) -> str:
        # A file named on the command line decides; in the environment the key itself comes first.
        path = self._flags.get("key_file")
        name, key = ("--key-file", "") if path else self._get("PHAROS_AGENT_KEY", "SINDRI_CONSOLE_API_KEY")
        if not key:
            name, path = self._get("PHAROS_AGENT_KEY_FILE", flag="key_file")
            if not path:
                self._faults.append("PHAROS_AGENT_KEY (or --key-file) is missing: the key of this agent.")
                return ""
            try:
                key = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as exc:
                self._faults.append(f"{name}: the key file cannot be read ({exc}).")
                return ""
        if not re.fullmatch(r"[!-~]{1,512}", key):
            self._faults.append(f"{name} is not a key: 1 to 512 ASCII characters without spaces.")
        return key

    def _state_dir(self) -> Path | None:
        name, value = self._get("PHAROS_AGENT_STATE_DIR", flag="state_dir")
        directory = Path(value).expanduser() if value else state.default_dir(self._environ)
        try:
            state.prepare(directory)
        except OSError as exc:
            if name:
                self._faults.append(f"{name}: the directory cannot be used ({exc}).")
            return None  # without a wish of the user the agent can do without
        return directory

    def _instance_id(self, state_dir: Path | None) -> str:
        name, value = self._get("PHAROS_INSTANCE_ID", "SINDRI_INSTANCE_ID", flag="instance_id")
        if not name:
            try:
                return state.default_instance_id(state_dir)
            except OSError as exc:
                self._faults.append(f"The instance id cannot be kept in the state directory ({exc}).")
                return ""
        if not INSTANCE_ID.fullmatch(value):
            self._faults.append(f"{name} must be 1 to 128 letters, digits, dots, colons, hyphens and underscores.")
        return value

    def _provider(self) -> str:
        name, value = self._get("PHAROS_PROVIDER", "SINDRI_PROVIDER")
        value = {"": "ssh", "k8s": "kubernetes"}.get(value.lower(), value.lower())
        if value not in PROVIDERS:
            self._faults.append(f"{name} must be one of {', '.join(PROVIDERS)}.")
        return value

    def _tags(self) -> dict[str, str]:
        name, value = self._get("PHAROS_AGENT_TAGS", "SINDRI_AGENT_TAGS")
        tags = {}
        for pair in filter(None, (part.strip() for part in value.split(","))):
            key, equals, text = (part.strip() for part in pair.partition("="))
            if not equals or not key or max(len(key), len(text)) > 128:
                self._faults.append(f"{name} must look like role=web,rack=7, with names and values up to 128 long.")
                return {}
            tags[key] = text
        if len(tags) > MAX_TAGS:
            self._faults.append(f"{name} holds more than {MAX_TAGS} tags.")
        return tags

    def _paths(self, name: str, what: str) -> tuple[str, ...]:
        paths = tuple(filter(None, (part.strip() for part in self._get(name)[1].split(","))))
        if not all(map(os.path.isabs, paths)) or len(paths) > MAX_PATTERNS:
            self._faults.append(f"{name} must be up to {MAX_PATTERNS} absolute {what}.")
        return paths

    def _switch(self, name: str, *, default: bool = False) -> bool:
        value = self._get(name)[1].lower()
        if value and value not in SWITCHES:
            self._faults.append(f"{name} must be 1 or 0.")
        return SWITCHES.get(value, default)

    def _interval(self, default: float, *names: str, flag: str) -> float:
        name, value = self._get(*names, flag=flag)
        if not name:
            return default
        match = DURATION.fullmatch(value)
        seconds = float(match.group(1)) * UNIT_S[match.group(2)] if match else 0.0
        if not 1 <= seconds <= 3600:
            self._faults.append(f"{name} must be between 1 s and 1 h, such as 30, 30s or 5m.")
        return seconds

    def _log_level(self) -> str:
        name, value = self._get("PHAROS_LOG_LEVEL", "SINDRI_LOG_LEVEL", flag="log_level")
        if name and value.lower() not in LEVELS:
            self._faults.append(f"{name} must be one of {', '.join(LEVELS)}.")
        return value.lower() or "info"

    def _parent_pid(self) -> int | None:
        name, value = self._get("PHAROS_AGENT_PARENT_PID")
        if name and not re.fullmatch(r"[1-9][0-9]{0,9}", value):
            self._faults.append(f"{name} must be the id of a process.")
            return None
        return int(value) if name else None
