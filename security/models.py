"""All models of the app, so that Django finds them."""

from security.accounts.models import Membership, Session, Team, User
from security.audit.models import AuditEntry, AuditHead, Verification
from security.bom.models import Component, Installed, Inventory, VexStatement
from security.keys.models import ApiKey, Refusal
from security.rotations.models import Rotation
from security.saved.models import SavedView
from security.second_factor.models import CodeGenerator, RecoveryCode
from security.ssh_keys.models import ServerKey, SshKey
from security.vault.models import Secret, SecretVersion
from security.vulnerabilities.models import Advisory, Affected, Archive, Decision, Finding, FleetMatch, Signal

__all__ = [
    "Advisory", "Affected", "ApiKey", "Archive", "AuditEntry", "AuditHead", "CodeGenerator", "Component", "Decision",
    "Finding", "FleetMatch", "Installed", "Inventory", "Membership", "RecoveryCode", "Refusal", "Rotation", "SavedView",
    "Secret", "SecretVersion", "ServerKey", "Session", "Signal", "SshKey", "Team", "User", "Verification",
    "VexStatement",
]  # fmt: skip
