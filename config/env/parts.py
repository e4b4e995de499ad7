"""What the parts of the environment share: the prefix of the names, and how a value that is a list is written."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network


class Part(BaseSettings):
    """Some variables. Their names are the field names in capitals after `PHAROS_`."""

    model_config = SettingsConfigDict(env_prefix="PHAROS_", env_ignore_empty=True, extra="ignore")


def bare(name: str) -> AliasChoices:
    """The variable with our prefix, or the name that the compatible product gave it."""
    return AliasChoices(f"PHAROS_{name}", name)


def split(value: object) -> object:
    """The words of a text, which commas separate; anything else stays as it is."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def networks(value: object) -> object:
    """The networks (CIDR) of a text, which commas separate; `none` is no network."""
    if not isinstance(value, str):
        return value
    words = [word.strip() for word in value.split(",") if word.strip() not in ("", "none")]
    return [ip_network(word, strict=False) for word in words]


Words = Annotated[list[str], NoDecode, BeforeValidator(split)]
Networks = Annotated[list[Network], NoDecode, BeforeValidator(networks)]
