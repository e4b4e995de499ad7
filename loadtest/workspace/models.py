"""What people prepare for load testing (contract: load testing §3-6).

Ids are opaque text: ours are made by `loadtest.ids`, a client may choose its own. Variables and auth hold secrets, so
they are stored encrypted.
"""

from django.db import models

from loadtest.workspace.sealed import SealedJson

MAX_ID = 128
MAX_NAME = 1024


class Dated(models.Model):
    """Rows that know when they were made and last written."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Collection(Dated):
    """A folder of requests; folders lie in folders. What is set here holds for everything below."""

    id = models.CharField(primary_key=True, max_length=MAX_ID)
    name = models.CharField(max_length=MAX_NAME)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    order = models.BigIntegerField(default=0)
    description = models.TextField(blank=True)
    sealed_variables = models.TextField(blank=True, editable=False)
    sealed_auth = models.TextField(blank=True, editable=False)
    pre_request_script = models.TextField(blank=True)
    post_request_script = models.TextField(blank=True)

    variables = SealedJson()
    auth = SealedJson()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~models.Q(parent=models.F("id")), name="collection_not_its_own_parent"),
        )

    def __str__(self) -> str:
        return self.name


class SavedRequest(Dated):
    """A request with its scripts. `params`, `headers` and `body` keep the shape in which they were written.

    The options are null where the request leaves them to the defaults. `timeout_ms` in milliseconds.
    """

    id = models.CharField(primary_key=True, max_length=MAX_ID)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="requests")
    name = models.CharField(max_length=MAX_NAME)
    method = models.CharField(max_length=8)
    url = models.TextField()
    params = models.JSONField(default=dict)
    headers = models.JSONField(default=dict)
    body = models.JSONField(default=str)
    body_type = models.CharField(max_length=32, default="none")
    sealed_auth = models.TextField(blank=True, editable=False)
    pre_request_script = models.TextField(blank=True)
    post_request_script = models.TextField(blank=True)
    description = models.TextField(blank=True)
    order = models.BigIntegerField(default=0)
    follow_redirects = models.BooleanField(null=True)
    max_redirects = models.PositiveSmallIntegerField(null=True)
    verify_ssl = models.BooleanField(null=True)
    timeout_ms = models.PositiveIntegerField(null=True)

    auth = SealedJson()

    class Meta:
        indexes = (models.Index(fields=["collection", "order", "id"], name="request_of_collection"),)

    def __str__(self) -> str:
        return self.name


class Environment(Dated):
    """Variables of one place that is tested, such as staging."""

    id = models.CharField(primary_key=True, max_length=MAX_ID)
    name = models.CharField(max_length=MAX_NAME)
    description = models.TextField(blank=True)
    is_active = models.BooleanField(default=False)
    sealed_variables = models.TextField(blank=True, editable=False)

    variables = SealedJson()

    def __str__(self) -> str:
        return self.name


class Globals(models.Model):
    """The variables of every request: one row, which appears with the first write."""

    ID = "globals"

    id = models.CharField(primary_key=True, max_length=8, default=ID)
    sealed_variables = models.TextField(blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    variables = SealedJson()

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id="globals"), name="globals_single"),)

    def __str__(self) -> str:
        return self.ID


class Setting(models.Model):
    """A setting that somebody changed; `value` is its text. What no row names has its default."""

    key = models.CharField(primary_key=True, max_length=64)
    value = models.CharField(max_length=64)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"
