"""Who must have a second factor, by the setting PHAROS_REQUIRE_SECOND_FACTOR."""

from django.conf import settings
from django.urls import reverse

from config.api.errors import Forbidden
from security.accounts.models import Role, User
from security.second_factor.models import CodeGenerator


class Missing(Forbidden):
    """A signed-in person may do nothing before a second factor is set up; `page` is where that is done."""

    def __init__(self) -> None:
        super().__init__("Set up a second factor first: this installation requires one of you")
        self.page = reverse("ui:account-second-factor")


def has(user: User) -> bool:
    """Whether the person has a second factor that counts."""
    return CodeGenerator.objects.filter(user=user).exclude(confirmed_at=None).exists()


def requires(user: User) -> bool:
    """Whether the setting asks one of this person."""
    wanted = settings.REQUIRE_SECOND_FACTOR
    return user.is_person and (wanted == "all" or (wanted == "admins" and user.role == Role.ADMIN))


def check(user: User, path: str) -> None:
    """Raise Missing when the person lacks what the setting asks, unless the path is where that changes."""
    open_paths = (reverse("ui:account-second-factor"), reverse("ui:logout"))
    if requires(user) and path not in open_paths and not has(user):
        raise Missing
