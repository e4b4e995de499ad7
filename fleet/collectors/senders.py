"""Whose data a collector sends: from what it says of a machine to the instance that the key may write for."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from config.api.errors import ApiError, Forbidden, Malformed, NotFound
from config.api.permissions import OPERATOR
from fleet.agents import ingest
from fleet.agents.services import may_speak
from fleet.instances.models import Provider
from fleet.instances.registration import Registration, register
from security.keys.services import digest_of

UNKNOWN_KEPT_S = 10.0
MOST_REGISTERED = 100  # by one request
LONGEST_NAME = 128
unknown = ingest.Memory(UNKNOWN_KEPT_S)  # references that mean nothing, by the digest of the key


class NotTaken(Exception):
    """Data of a machine that the key may not write for; the text finishes "refused: …"."""


class Sender:
    """The key of one request. Raises Unauthorized for a bad key, Forbidden for one that speaks for no instance."""

    def __init__(self, raw_key: str) -> None:
        self._key, self._digest, self._registered = raw_key, digest_of(raw_key), 0
        self.principal = ingest.caller(raw_key)
        if not may_speak(self.principal):
            raise Forbidden(f"This action requires the {OPERATOR} role or higher")

    def instance(self, references: Sequence[str], *, host: str = "", facts: Mapping[str, Any] | None = None) -> str:
        """The id of the first reference that means an instance, by the rule for agents: id, its agent's name, name.

        A key bound to an instance needs none, but none may mean another. With PHAROS_COLLECTORS_REGISTER an unknown
        `host` becomes an instance, with the `facts` (fields of its record) that are told. Raises NotTaken.
        """
        references = [text for text in references if text]
        if not references and self.principal.instance_id:
            references = [self.principal.instance_id]
        if not references:
            raise NotTaken("nothing tells which instance they are of")
        for reference in references:
            if found := self._known(reference):
                return found
        if host and self._may_register():
            return self._register(host, facts or {})
        raise NotTaken(f"no instance '{references[-1][:100]}' that this key may write for")

    def _known(self, reference: str) -> str | None:
        name = (self._digest, reference)
        if unknown.get(name):
            return None
        try:
            return ingest.admit(self._key, reference, adopt=False).instance_id
        except (NotFound, Malformed, Forbidden):
            unknown.put(name, True)
            return None

    def _may_register(self) -> bool:
        free = not self.principal.instance_id and self._registered < MOST_REGISTERED
        return bool(settings.COLLECTORS_REGISTER and free and self.principal.may(OPERATOR))

    def _register(self, host: str, facts: Mapping[str, Any]) -> str:
        if len(host) > LONGEST_NAME or not host.isprintable():
            raise NotTaken("the name of the machine is longer than 128 characters or holds unprintable ones")
        self._registered += 1
        given = {"provider": Provider.SSH, **facts}
        registration = Registration(name=host, agent_id=host, given=given)
        try:
            instance = register(registration=registration, principal=self.principal)
        except ApiError as error:
            raise NotTaken(f"'{host}' could not be registered: {error.message}") from None
        unknown.clear()
        return instance.pk
