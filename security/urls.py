"""Routes of the app: `/api/v1`, `/api/auth` and pages."""

from django.urls import include, path

from config.api.routers import ApiRouter, route
from security.accounts.api import me, sessions, teams, users
from security.accounts.ui import account, entry
from security.accounts.ui import teams as teams_ui
from security.accounts.ui import users as users_ui
from security.audit import ui as audit_ui
from security.audit.api import AuditViewSet, Export, OneVerification, Verifications
from security.bom import api as bom
from security.bom import ui as bom_ui
from security.integrations import ui as integrations_ui
from security.integrations.api import CredentialSpecs, Integrations, OneCredentialSpec, OneIntegration
from security.keys import api as keys
from security.keys import ui as keys_ui
from security.offboarding import ui as offboarding_ui
from security.offboarding.api import OffBoard
from security.overview import ui as overview_ui
from security.posture import api as posture
from security.posture import ui as posture_ui
from security.rotations import api as rotations
from security.rotations import ui as rotations_ui
from security.saved import ui as saved_ui
from security.second_factor import ui as second_factor_ui
from security.ssh_keys import api as ssh_keys
from security.ssh_keys import ui as ssh_keys_ui
from security.tickets.api import Ticket
from security.vault import ui as secrets_ui
from security.vault.api import SecretViewSet
from security.vulnerabilities import ui as findings_ui
from security.vulnerabilities.api import InstanceScan, VulnerabilityViewSet

router = ApiRouter()
router.register("admin/users", users.UserViewSet, basename="admin-users")
router.register("admin/teams", teams.TeamViewSet, basename="admin-teams")
router.register("admin/api-keys", keys.KeyViewSet, basename="admin-api-keys")
router.register("audit", AuditViewSet, basename="audit")
router.register("security/vulnerabilities", VulnerabilityViewSet, basename="vulnerability")
router.register("secrets", SecretViewSet, basename="secrets")

api_v1: list = [
    route("me", me.Me.as_view()),
    route("me/password", me.MyPassword.as_view()),
    route("me/sessions", me.MySessions.as_view()),
    route("me/sessions/<id>", me.MySession.as_view()),
    route("me/api-keys", keys.MyKeys.as_view()),
    route("me/api-keys/<id>", keys.MyKey.as_view()),
    route("me/api-keys/<id>/rotate", keys.RotateMyKey.as_view()),
    route("ws/ticket", Ticket.as_view()),
    route("integrations", Integrations.as_view()),
    route("integrations/providers", CredentialSpecs.as_view()),
    route("integrations/providers/<id>", OneCredentialSpec.as_view()),
    route("integrations/<id>", OneIntegration.as_view()),
    route("audit/export", Export.as_view()),
    route("audit/verify", Verifications.as_view()),
    route("audit/verify/<id>", OneVerification.as_view()),
    route("admin/users/<id>/off-board", OffBoard.as_view()),
    route("admin/teams/<id>/members", teams.Members.as_view()),
    route("admin/teams/<id>/members/<user_id>", teams.Member.as_view()),
    route("admin/teams/<id>/members/<user_id>/role", teams.MembersRole.as_view()),
    route("admin/teams/<id>/instances", teams.TeamInstances.as_view()),
    route("admin/teams/<id>/instances/<instance_id>", teams.TeamInstance.as_view()),
    route("security/bom", bom.Bom.as_view()),
    route("security/bom/<id>", bom.InstanceBom.as_view()),
    route("security/bom/<id>/cyclonedx", bom.CycloneDx.as_view()),
    route("security/summary", posture.Summary.as_view()),
    route("security/scan/<id>", InstanceScan.as_view()),
    route("security/compliance", posture.Compliance.as_view()),
    route("security/secrets", rotations.Rotations.as_view()),
    route("security/secrets/<id>/rotate", rotations.Rotate.as_view()),
    route("security/ssh-keys", ssh_keys.SshKeys.as_view()),
    route("security/ssh-keys/<id>/revoke", ssh_keys.Revoke.as_view()),
    route("security/server-key", ssh_keys.ServerKeyView.as_view()),
    route("security/server-key/generate", ssh_keys.GenerateServerKey.as_view()),
    path("", include(router.urls)),
]
api_auth = [
    route("get-session", sessions.GetSession.as_view()),
    route("sign-out", sessions.SignOut.as_view()),
]
pages = [
    path("setup/", entry.setup, name="setup"),
    path("login/", entry.sign_in, name="login"),
    path("login/code/", second_factor_ui.sign_in_code, name="login-code"),
    path("logout/", entry.sign_out, name="logout"),
    path("account/", account.account, name="account"),
    path("account/password/", account.change_password, name="account-password"),
    path("account/second-factor/", second_factor_ui.second_factor, name="account-second-factor"),
    path("account/sessions/end-others/", account.end_other_sessions, name="account-sessions-end"),
    path("account/sessions/<str:id>/end/", account.end_session, name="account-session-end"),
    path("account/keys/", keys_ui.own_keys, name="account-keys"),
    path("account/keys/<str:id>/rotate/", keys_ui.rotate_own_key, name="account-keys-rotate"),
    path("account/keys/<str:id>/revoke/", keys_ui.revoke_own_key, name="account-keys-revoke"),
    path("account/views/<slug:name>/", saved_ui.save, name="view-save"),
    path("account/views/<slug:name>/<int:pk>/forget/", saved_ui.forget, name="view-forget"),
    path("settings/", users_ui.settings, name="settings"),
    path("settings/retention/", users_ui.retention, name="settings-retention"),
    path("settings/security/", users_ui.policy, name="settings-security"),
    path("settings/users/", users_ui.users, name="settings-users"),
    path("settings/users/new/", users_ui.new_user, name="settings-users-new"),
    path("settings/users/<str:id>/", users_ui.user, name="settings-user"),
    path("settings/users/<str:id>/off-board/", offboarding_ui.off_board, name="settings-user-off-board"),
    path("settings/users/<str:id>/second-factor/", second_factor_ui.reset, name="settings-user-second-factor"),
    path("settings/users/<str:id>/delete/", users_ui.delete_user, name="settings-user-delete"),
    path("settings/integrations/", integrations_ui.integrations, name="settings-integrations"),
    path("settings/teams/", teams_ui.teams, name="settings-teams"),
    path("settings/teams/<str:id>/", teams_ui.team, name="settings-team"),
    path("settings/teams/<str:id>/delete/", teams_ui.delete_team, name="settings-team-delete"),
    path("settings/teams/<str:id>/members/", teams_ui.change_members, name="settings-team-members"),
    path("settings/teams/<str:id>/instances/", teams_ui.change_instances, name="settings-team-instances"),
    path("settings/keys/", keys_ui.all_keys, name="settings-keys"),
    path("settings/keys/<str:id>/rotate/", keys_ui.rotate_key, name="settings-keys-rotate"),
    path("settings/keys/<str:id>/revoke/", keys_ui.revoke_key, name="settings-keys-revoke"),
    path("security/", overview_ui.security, name="security"),
    path("security/packages/", overview_ui.installed_packages, name="security-packages"),
    path("security/parts/<slug:name>/", overview_ui.part, name="security-part"),
    path("security/findings/decide/", findings_ui.bulk, name="findings-decide"),
    path("security/findings/<str:pk>/", findings_ui.finding, name="finding"),
    path("security/findings/<str:pk>/decide/", findings_ui.decide, name="finding-decide"),
    path("instances/<str:pk>/security/scan/", findings_ui.scan, name="instance-scan"),
    path("instances/<str:pk>/security/", overview_ui.of_instance, name="instance-security"),
    path("secrets/", secrets_ui.secrets, name="secrets"),
    path("secrets/new/", secrets_ui.new, name="secret-new"),
    path("secrets/instance/<str:instance>/", secrets_ui.secrets, name="instance-secrets"),
    path("secrets/<str:pk>/", secrets_ui.secret, name="secret"),
    path("secrets/<str:pk>/edit/", secrets_ui.edit, name="secret-edit"),
    path("secrets/<str:pk>/rotate/", secrets_ui.rotate, name="secret-rotate"),
    path("secrets/<str:pk>/reveal/", secrets_ui.reveal, name="secret-reveal"),
    path("secrets/<str:pk>/delete/", secrets_ui.delete, name="secret-delete"),
    path("secrets/<str:pk>/versions/<int:number>/", secrets_ui.roll_back, name="secret-roll-back"),
    path("instances/<str:pk>/packages/", bom_ui.packages, name="instance-packages"),
    path("instances/<str:pk>/packages/ask/", bom_ui.ask, name="instance-packages-ask"),
    path("audit/", audit_ui.audit, name="audit"),
    path("audit/export.csv", audit_ui.export, {"form": "csv"}, name="audit-csv"),
    path("audit/export.jsonl", audit_ui.export, {"form": "jsonl"}, name="audit-jsonl"),
    path("audit/verify/", audit_ui.verify, name="audit-verify"),
    path("audit/verify/<str:id>/", audit_ui.verification, name="audit-verification"),
    path("security/compliance/", posture_ui.compliance, name="security-compliance"),
    path("security/ssh-keys/", ssh_keys_ui.ssh_keys, name="security-ssh-keys"),
    path("security/ssh-keys/new/", ssh_keys_ui.new, name="security-ssh-key-new"),
    path("security/ssh-keys/<str:pk>/revoke/", ssh_keys_ui.revoke, name="security-ssh-key-revoke"),
    path("security/server-key/generate/", ssh_keys_ui.generate, name="security-server-key-generate"),
    path("security/rotations/", rotations_ui.rotations, name="security-rotations"),
    path("security/rotations/new/", rotations_ui.new, name="security-rotation-new"),
    path("security/rotations/<str:pk>/rotate/", rotations_ui.rotate, name="security-rotation-rotate"),
]
