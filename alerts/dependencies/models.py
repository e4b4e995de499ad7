"""What depends on what: when the parent is down, nobody is told of its children."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.ids import cuid


class Dependency(models.Model):
    """One arrow: an instance or a monitor depends on an instance or a monitor."""

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    parent_instance = models.ForeignKey("fleet.Instance", null=True, on_delete=models.CASCADE, related_name="+")
    parent_monitor = models.ForeignKey("monitors.Monitor", null=True, on_delete=models.CASCADE, related_name="+")
    child_instance = models.ForeignKey("fleet.Instance", null=True, on_delete=models.CASCADE, related_name="+")
    child_monitor = models.ForeignKey("monitors.Monitor", null=True, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(parent_instance=None) ^ Q(parent_monitor=None), name="dependency_one_parent"
            ),
            models.CheckConstraint(
                condition=Q(child_instance=None) ^ Q(child_monitor=None), name="dependency_one_child"
            ),
            *(
                models.UniqueConstraint(
                    fields=[f"parent_{parent}", f"child_{child}"], name=f"dependency_{parent}_{child}_once"
                )
                for parent in ("instance", "monitor")
                for child in ("instance", "monitor")
            ),
        )

    def __str__(self) -> str:
        return f"{self.child.name} depends on {self.parent.name}"

    @property
    def parent(self) -> Any:
        return self.parent_instance or self.parent_monitor

    @property
    def child(self) -> Any:
        return self.child_instance or self.child_monitor
