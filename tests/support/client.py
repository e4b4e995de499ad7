"""A test client that speaks JSON and carries an API key."""

from typing import Any

from django.test import Client

JSON = "application/json"


class ApiClient(Client):
    """Django's test client; writes send JSON. `user`, `key` and `raw_key` tell whose key it carries."""

    user: Any = None
    key: Any = None
    raw_key: str | None = None

    def post(self, path: str, data: Any = None, content_type: str = JSON, **extra: Any) -> Any:
        return super().post(path, data, content_type, **extra)

    def put(self, path: str, data: Any = "", content_type: str = JSON, **extra: Any) -> Any:
        return super().put(path, data, content_type, **extra)

    def patch(self, path: str, data: Any = "", content_type: str = JSON, **extra: Any) -> Any:
        return super().patch(path, data, content_type, **extra)

    def delete(self, path: str, data: Any = "", content_type: str = JSON, **extra: Any) -> Any:
        return super().delete(path, data, content_type, **extra)
