"""The key with which Pharos opens machines by SSH (contract: fleet console §24)."""

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.db import IntegrityError, transaction

from config.api.authentication import Principal
from config.api.errors import Conflict
from security.audit.services import record
from security.ssh_keys.models import ServerKey
from security.vault.crypto import decrypt, encrypt

CONTEXT = "security.server_key"
EXISTS = "There is a server key. With replace it gives way to a new one, which machines have to be told of."


def get() -> ServerKey | None:
    return ServerKey.objects.select_related("created_by").first()


def exists() -> bool:
    return ServerKey.objects.exists()


def private_key() -> str | None:
    """The private part in OpenSSH's form, for the driver `ssh`; None without a key. Raises Unreadable."""
    key = ServerKey.objects.first()
    return decrypt(key.sealed_private_key, context=CONTEXT) if key else None


@transaction.atomic
def generate(*, actor: Principal, now: datetime, replace: bool = False, request: Any = None) -> ServerKey:
    """Make an ed25519 key and keep its private part encrypted. Raises Conflict when there is one, unless `replace`."""
    old = ServerKey.objects.select_for_update().first()
    if old and not replace:
        raise Conflict(EXISTS)
    private = Ed25519PrivateKey.generate()
    comment = f"pharos-{now:%Y-%m-%d}"
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    key = ServerKey(
        public_key=f"{public} {comment}",
        comment=comment,
        sealed_private_key=encrypt(text, context=CONTEXT),
        created_at=now,
        created_by=actor.user,
    )
    try:
        with transaction.atomic():
            key.save(force_insert=old is None, force_update=old is not None)
    except IntegrityError:  # somebody made one at the same moment
        raise Conflict(EXISTS) from None
    facts = {"public": key.public_key, "replaced": old.public_key if old else None}
    record(actor=actor, action="CREATE", resource="server_key", resource_id="1", request=request, **facts)
    return key
