"""Views of lists that a person keeps: a name for filters and an order."""

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """One view of one person. `page` names the list, `query` is what its address asks for."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=32)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_once"),)

    def __str__(self) -> str:
        return f"{self.name} of {self.page}"
