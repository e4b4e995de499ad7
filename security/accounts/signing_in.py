"""In and out with e-mail address and password. Edges call this with their request; it holds what both doors share."""

from typing import Any

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest

from config.api.throttling import count, peer_address
from security.accounts.models import User
from security.audit.services import masked_email, record

BACKEND = "django.contrib.auth.backends.ModelBackend"
# Tries in a minute, beside the lock-out after five failures for one name from one address: the first slows down
# guessing of one person's password from many addresses, the second guessing of many people's from one.
TRIES_PER_NAME = 10
TRIES_PER_ADDRESS = 30


def prove(request: HttpRequest, *, email: str, password: str) -> User | None:
    """Whose address and password these are; None whatever was wrong. Raises TooMany when tries come too fast."""
    email = email.strip().lower()
    count("sign-in", f"address:{peer_address(request)}", TRIES_PER_ADDRESS)
    count("sign-in", f"name:{email}", TRIES_PER_NAME)
    user = auth.authenticate(request, email=email, password=password)
    if user is None and not getattr(request, "axes_locked_out", False):
        record(
            actor=None, action="LOGIN", resource="session", resource_id=None, outcome="failed",
            email=masked_email(email),
        )  # fmt: skip
    return user


@transaction.atomic
def begin(request: HttpRequest, user: User, *, remember: bool = True, second_factor: str | None = None) -> None:
    """Start the session of a person who has proved who it is. Without `remember` it ends with the browser.

    `second_factor` says for the audit log what was proved with beside the password.
    """
    auth.login(request, user, backend=BACKEND)
    request.session["ip_address"] = peer_address(request)
    request.session["user_agent"] = request.headers.get("User-Agent", "")[:256]
    if not remember:
        request.session.set_expiry(0)
    request.session.save()
    session_id = request.session["id"]
    actor = user.principal(session_id=session_id)
    record(actor=actor, action="LOGIN", resource="session", resource_id=session_id, second_factor=second_factor)


def sign_out(request: Any) -> None:
    """End the browser's session, if it has one."""
    principal = request.principal
    if principal and principal.session_id:
        record(actor=principal, action="LOGOUT", resource="session", resource_id=principal.session_id)
    auth.logout(request)
