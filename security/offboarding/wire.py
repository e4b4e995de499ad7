"""The plan as JSON, for the API and the command line."""

from typing import Any

from config.api.fields import milliseconds
from security.offboarding.plan import Plan


def as_body(found: Plan) -> dict[str, Any]:
    """The plan on the wire."""
    user = found.user
    return {
        "user": {
            "id": user.pk, "email": user.email, "name": user.name or None, "role": user.role,
            "isActive": user.is_active,
        },
        "obstacle": found.obstacle or None,
        "apiKeys": [
            {"id": key.pk, "keyPrefix": key.key_prefix, "name": key.name, "instanceId": key.instance_id,
             "lastUsedAt": milliseconds(key.last_used_at), "expiresAt": milliseconds(key.expires_at)}
            for key in found.api_keys
        ],
        "sessions": [
            {"id": one.public_id, "browser": one.browser, "ipAddress": one.ip_address or None,
             "startedAt": milliseconds(one.started_at), "seenAt": milliseconds(one.seen_at)}
            for one in found.sessions
        ],
        "sshKeys": [
            {"id": held.key.pk, "instanceId": held.key.instance_id, "instanceName": held.key.instance.name,
             "fingerprint": held.key.fingerprint, "comment": held.key.comment, "recommended": held.certain}
            for held in found.ssh_keys
        ],
        "secrets": [
            {"id": known.secret.pk, "name": known.secret.name, "instanceId": known.secret.instance_id,
             "how": known.how, "at": milliseconds(known.at), "rotatedSince": known.rotated,
             "recommended": not known.rotated}
            for known in found.secrets
        ],
        "teams": [{"id": one.team_id, "name": one.team.name, "role": one.role} for one in found.teams],
        "duties": [
            {"kind": duty.kind, "id": duty.id, "name": duty.name, "alone": duty.alone} for duty in found.duties
        ],
        "truncated": found.left_out,
    }  # fmt: skip
