"""Request bodies of commands (contract: fleet console §12)."""

from typing import Any

from rest_framework import serializers

from config.api.fields import Body, CamelSerializer
from fleet.commands.specs import (
    INTERPRETER,
    LEAST_TIMEOUT_MS,
    MOST_TIMEOUT_MS,
    SCRIPT_TIMEOUT_MS,
    TIMEOUT_MS,
    Spec,
)  # fmt: skip

MOST_TARGETS, MOST_ARGS, MOST_SCRIPT = 50, 64, 65_536


class Line(serializers.CharField):
    """Text that is taken as it is: spaces matter to a machine."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)


def targets() -> serializers.ListField:
    return serializers.ListField(child=Line(max_length=128), min_length=1, max_length=MOST_TARGETS)


def timeout(default: int) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=LEAST_TIMEOUT_MS, max_value=MOST_TIMEOUT_MS, default=default)


class Asked(Body, CamelSerializer):
    """What is to run."""

    command = Line(max_length=4096)
    args = serializers.ListField(child=Line(max_length=1024, allow_blank=True), max_length=MOST_ARGS, default=list)
    env = serializers.DictField(child=Line(max_length=4096, allow_blank=True), default=dict)
    working_dir = Line(max_length=512, required=False, allow_null=True)
    timeout_ms = timeout(TIMEOUT_MS)

    def validate_command(self, value: str) -> str:
        if not value.strip():
            raise serializers.ValidationError("This field may not be blank.")
        return value

    def validate_env(self, value: dict[str, str]) -> dict[str, str]:
        if any(not name or len(name) > 256 or set(name) & set("=\x00") for name in value):
            raise serializers.ValidationError("A name has 1 to 256 characters, without '='.")
        return value

    def spec(self) -> Spec:
        given = {name: value for name, value in self.validated_data.items() if not name.startswith("instance_id")}
        return Spec(**given)


class Command(Asked):
    instance_id = Line(max_length=128)


class BulkCommand(Asked):
    instance_ids = targets()


class Script(Body, CamelSerializer):
    instance_ids = targets()
    script = Line(max_length=MOST_SCRIPT)
    interpreter = Line(max_length=128, default=INTERPRETER)
    timeout_ms = timeout(SCRIPT_TIMEOUT_MS)

    def spec(self) -> Spec:
        given = self.validated_data
        return Spec.of_script(given["script"], given["interpreter"], given["timeout_ms"])


class Decision(Body, CamelSerializer):
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
