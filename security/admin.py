"""Accounts, keys and the audit log in Django's admin. Password hashes, digests and session keys are never shown."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from config.admin import ReadOnlyAdmin
from config.api.errors import ApiError
from security.accounts import services as accounts
from security.accounts.models import Membership, Session, Team, User
from security.audit.models import AuditEntry, Verification
from security.bom.models import Component, Inventory, VexStatement
from security.keys import services as keys
from security.keys.models import ApiKey
from security.rotations.models import Rotation
from security.second_factor.models import CodeGenerator, RecoveryCode
from security.ssh_keys.models import ServerKey, SshKey
from security.vault.models import Secret, SecretVersion
from security.vulnerabilities.models import Advisory, Archive, Decision, Finding, Signal


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "name", "role", "kind", "is_active", "last_login", "created_at")
    list_filter = ("role", "kind", "is_active")
    search_fields = ("id", "email", "name")
    exclude = ("password",)
    ordering = ("email",)
    actions = ("deactivate",)

    @admin.action(description="Switch off: end all sessions and keys of the selected users")
    def deactivate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            try:
                accounts.update_user(user=user, actor=request.principal, is_active=False)
            except ApiError as error:
                self.message_user(request, f"{user}: {error.message}", messages.ERROR)


class MemberInline(admin.TabularInline):
    model = Membership
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_staff

    has_add_permission = has_change_permission = has_delete_permission = lambda *args, **kwargs: False


@admin.register(Team)
class TeamAdmin(ReadOnlyAdmin):
    list_display = ("name", "description", "created_by", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("id", "name", "description")
    ordering = ("name",)
    inlines = (MemberInline,)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("key_prefix", "name", "user", "role", "instance_id", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("role", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("id", "name", "key_prefix", "user__email", "instance_id")
    exclude = ("digest",)
    ordering = ("-created_at", "-id")
    actions = ("revoke",)

    @admin.action(description="Revoke the selected keys")
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        for key in chosen.select_related("user"):
            keys.revoke(key=key, actor=request.principal)


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "user", "ip_address", "started_at", "seen_at", "expire_date")
    list_select_related = ("user",)
    search_fields = ("public_id", "user__email", "ip_address")
    exclude = ("session_key", "session_data")
    ordering = ("-seen_at",)
    list_display_links = None  # its address would hold the key of the session

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_view_permission(request)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("number", "at", "user_email", "action", "resource", "resource_id", "ip_address")
    list_filter = ("action", "resource")
    search_fields = ("id", "user_email", "resource_id", "ip_address")
    exclude = ("seal",)
    ordering = ("-at", "-id")
    date_hierarchy = "at"


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    list_display = ("id", "asked_by", "started_at", "ended_at", "checked", "ok", "first_bad")
    list_filter = ("ok",)
    search_fields = ("id", "asked_by")
    exclude = ("seal",)
    ordering = ("-started_at", "-id")


@admin.register(Secret)
class SecretAdmin(ReadOnlyAdmin):
    list_display = ("name", "type", "instance", "version", "expires_at", "last_rotated_at", "last_read_at")
    list_filter = ("type",)
    list_select_related = ("instance",)
    search_fields = ("id", "name", "description", "instance__name")
    ordering = ("name", "id")


@admin.register(SecretVersion)
class SecretVersionAdmin(ReadOnlyAdmin):
    """Which versions there are; what they hold stays out, encrypted or not."""

    list_display = ("secret", "number", "created_by", "created_at")
    list_select_related = ("secret", "created_by")
    search_fields = ("id", "secret__name")
    exclude = ("sealed_value",)
    ordering = ("secret__name", "-number", "id")


@admin.register(CodeGenerator)
class CodeGeneratorAdmin(ReadOnlyAdmin):
    list_display = ("user", "confirmed_at", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    exclude = ("sealed_secret", "last_step")
    ordering = ("user__email",)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ReadOnlyAdmin):
    list_display = ("user", "used_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    exclude = ("digest",)
    ordering = ("user__email", "id")


@admin.register(Component)
class ComponentAdmin(ReadOnlyAdmin):
    list_display = ("name", "version", "ecosystem", "license", "source_name", "source_version", "created_at")
    search_fields = ("name", "source_name")
    ordering = ("ecosystem", "name", "version", "pk")
    show_full_result_count = False


@admin.register(Inventory)
class InventoryAdmin(ReadOnlyAdmin):
    list_display = ("instance", "source", "packages", "received_at", "received_from")
    list_filter = ("source",)
    list_select_related = ("instance",)
    search_fields = ("instance__id", "instance__name", "received_from")
    ordering = ("-received_at", "pk")


@admin.register(VexStatement)
class VexStatementAdmin(ReadOnlyAdmin):
    list_display = ("vulnerability", "state", "justification", "instance", "ecosystem", "package", "imported_at")
    list_filter = ("state",)
    list_select_related = ("instance",)
    search_fields = ("vulnerability", "package", "instance__id", "instance__name")
    ordering = ("-imported_at", "-pk")


@admin.register(Rotation)
class RotationAdmin(ReadOnlyAdmin):
    list_display = ("secret_name", "secret_type", "instance", "rotation_days", "last_rotated_at", "due_at")
    list_select_related = ("instance",)
    search_fields = ("id", "secret_name", "instance__name")
    ordering = ("due_at", "id")


@admin.register(SshKey)
class SshKeyAdmin(ReadOnlyAdmin):
    list_display = ("fingerprint", "comment", "key_type", "key_bits", "instance", "revoked_at", "expires_at", "seen_at")
    list_filter = ("key_type",)
    list_select_related = ("instance",)
    search_fields = ("id", "fingerprint", "comment", "instance__name")
    ordering = ("-created_at", "-id")


@admin.register(ServerKey)
class ServerKeyAdmin(ReadOnlyAdmin):
    list_display = ("comment", "public_key", "created_by", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("comment",)
    exclude = ("sealed_private_key",)
    ordering = ("id",)


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    list_display = ("cve_id", "severity", "status", "package_name", "package_version", "instance", "due_at")
    list_filter = ("severity", "status")
    list_select_related = ("instance",)
    search_fields = ("id", "cve_id", "package_name", "instance__name")
    ordering = ("rank", "-detected_at", "id")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("finding", "before", "after", "author_name", "reason", "at")
    list_filter = ("after",)
    list_select_related = ("finding",)
    search_fields = ("finding__id", "finding__cve_id", "author_name")
    ordering = ("-at", "-pk")


@admin.register(Advisory)
class AdvisoryAdmin(ReadOnlyAdmin):
    list_display = ("id", "cve_id", "severity", "title", "modified_at", "withdrawn_at")
    list_filter = ("severity",)
    search_fields = ("=id", "=cve_id")
    show_full_result_count = False
    ordering = ("id",)


@admin.register(Archive)
class ArchiveAdmin(ReadOnlyAdmin):
    list_display = ("name", "entries", "newest_at", "imported_at")
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(Signal)
class SignalAdmin(ReadOnlyAdmin):
    list_display = ("cve_id", "epss", "kev_added_date", "kev_due_date")
    search_fields = ("=cve_id",)
    show_full_result_count = False
    ordering = ("cve_id",)
