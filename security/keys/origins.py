"""Which pages a browser may call from."""

from urllib.parse import urlsplit

from django.conf import settings


def from_our_pages(origin: str | None, host: str | None) -> bool:
    """Whether a browser's Origin header names this site, or one that the settings allow."""
    if not origin or origin == "null":
        return False
    allowed = {settings.BASE_URL, *settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS}
    return urlsplit(origin).netloc == host or origin in allowed
