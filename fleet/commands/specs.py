"""What can be asked of a machine, and the message that asks its agent (contract: fleet console §12, §31.5)."""

import base64
import json
import re
import shlex
import uuid
from dataclasses import dataclass, field
from typing import Any, Self

from config.api.errors import Invalid
from fleet.agents import calling
from fleet.commands.models import Batch
from security.audit.masking import MASK, masked
from security.vault.crypto import decrypt, encrypt

TIMEOUT_MS, SCRIPT_TIMEOUT_MS = 30_000, 60_000
LEAST_TIMEOUT_MS, MOST_TIMEOUT_MS = 1_000, 300_000
INTERPRETER = "/bin/bash"
SCRIPT_VARIABLE = "SINDRI_SCRIPT_B64"
# Decodes the script and pipes it into the interpreter, which does not see the variable. The exit code is its own.
FEEDER = f'printf %s "${SCRIPT_VARIABLE}" | base64 -d | (unset {SCRIPT_VARIABLE}; exec "$@")'
_MORE_SECRETS = re.compile(r"(^|_)(key|pwd|pass|dsn|auth|pin|otp)$|database_url|connection", re.IGNORECASE)
_SECRET_FLAG = re.compile(r"--?[\w-]*(passw|secret|token|key|credential)[\w-]*", re.IGNORECASE)


@dataclass(frozen=True)
class Spec:
    """A command with its arguments, or a script with the interpreter that reads it."""

    command: str
    args: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    working_dir: str | None = None
    timeout_ms: int = TIMEOUT_MS
    script: str | None = None

    @classmethod
    def of_script(cls, script: str, interpreter: str = INTERPRETER, timeout_ms: int = SCRIPT_TIMEOUT_MS) -> Self:
        """Raises Invalid for an interpreter that is no command."""
        try:
            words = shlex.split(interpreter)
        except ValueError:
            words = []
        if not words:
            raise Invalid("interpreter is not a command", details={"interpreter": ["Write it as a command."]})
        return cls(words[0], words[1:], script=script, timeout_ms=timeout_ms)

    @classmethod
    def of_batch(cls, batch: Batch) -> Self:
        """What was asked for, with the secrets in the clear."""
        sealed = json.loads(decrypt(batch.sealed, context=context_of(batch))) if batch.sealed else {}
        return cls(
            batch.command, batch.args, sealed.get("env", {}), batch.working_dir, batch.timeout_ms, sealed.get("script")
        )

    def seal(self, batch: Batch) -> str:
        """Environment and script, encrypted; empty when there is neither."""
        secrets = {"env": self.env, "script": self.script}
        return encrypt(json.dumps(secrets), context=context_of(batch)) if self.env or self.script else ""

    def dispatch(self, correlation_id: uuid.UUID | str) -> dict[str, Any]:
        """The body of `command:dispatch`."""
        command, args, env = self.command, self.args, self.env
        if self.script is not None:
            encoded = base64.b64encode(self.script.encode()).decode()
            command, args, env = "/bin/sh", ["-c", FEEDER, "sh", command, *args], {**env, SCRIPT_VARIABLE: encoded}
        body: dict[str, Any] = {"command_id": str(correlation_id), "command": command, "args": args}
        body["env"] = [f"{name}={value}" for name, value in env.items()]
        body["timeout_ms"] = self.timeout_ms
        return body | ({"working_dir": self.working_dir} if self.working_dir else {})

    def check(self) -> None:
        """Raise TooLarge for what does not fit into a message to an agent, Invalid for what is no text."""
        try:
            calling.frame("command:dispatch", self.dispatch(uuid.UUID(int=0)))
        except UnicodeEncodeError:
            raise Invalid("The command holds characters that are no text") from None


def shown_env(env: dict[str, str]) -> dict[str, str]:
    """The environment as people may read it: values under names that sound secret are masked."""
    return {name: MASK if value and _MORE_SECRETS.search(name) else masked(value, name) for name, value in env.items()}


def shown_args(args: list[str]) -> list[str]:
    """Arguments as the audit log keeps them: what follows a flag such as `--password` is masked."""
    shown, hide = [], False
    for word in args:
        flag, equals, _ = word.partition("=")
        secret = bool(_SECRET_FLAG.fullmatch(flag))
        shown.append(MASK if hide else f"{flag}={MASK}" if secret and equals else word)
        hide = secret and not equals
    return shown


def context_of(batch: Batch) -> str:
    """The place that environment and script are bound to."""
    return f"fleet.command:{batch.pk}"
