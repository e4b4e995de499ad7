"""Variables about who may do what."""

import base64
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import NoDecode

from config.env.parts import Part, bare


class Security(Part):
    """Roles, the second factor of people, and the licences that limit them."""

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
    require_second_factor: Literal["none", "admins", "all"] = Field(
        "none", description="who must have a second factor: none, admins or all; whoever lacks it sets it up first"
    )

    fix_within_days: Annotated[dict[str, int], NoDecode] = Field(
        {"CRITICAL": 7, "HIGH": 30, "MEDIUM": 90, "LOW": 180},
        description="days to fix a finding in, by severity: CRITICAL:7,HIGH:30,MEDIUM:90,LOW:180; 0 for no deadline",
    )

    secret_remind_days: int = Field(
        14, ge=0, le=365, description="days before a secret expires at which an alert reminds of it; 0 for no reminder"
    )

    @field_validator("fix_within_days", mode="before")
    @classmethod
    def _fix_within_days(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        days = dict(cls.model_fields["fix_within_days"].default)
        for word in filter(None, value.split(",")):
            severity, _, text = word.strip().partition(":")
            if severity.strip().upper() not in days or not text.strip().isdecimal() or int(text) > 3650:
                raise ValueError("write CRITICAL, HIGH, MEDIUM or LOW and 0 to 3650 days, as in CRITICAL:7,HIGH:30")
            days[severity.strip().upper()] = int(text)
        return days

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
