from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class ConfigConfig(AppConfig):
    """The project itself: commands, template tags and static files."""

    name = "config"
    default = True


class AdminSiteConfig(SimpleAdminConfig):
    """Django's admin, with our site as the one that models register with."""

    default = False
    default_site = "config.admin.Site"

    def ready(self) -> None:
        super().ready()
        self.module.autodiscover()
        from django.contrib.auth.models import Group

        self.module.site.unregister(Group)  # rights are roles here
