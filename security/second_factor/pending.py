"""Between password and code: who has proved the first, kept in the session for five minutes. It gives no rights."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from config.api.throttling import count, peer_address
from security.accounts import signing_in
from security.accounts.models import User
from security.audit.services import masked_email, record
from security.second_factor import services

NAME = "second_factor"
LASTS = timedelta(minutes=5)


class Pending(NamedTuple):
    """A person whose password was right; `remember` and `target` are what was asked on the sign-in page."""

    user: User
    remember: bool
    target: str


def hold(request: HttpRequest, user: User, *, remember: bool, target: str) -> None:
    """Keep that the password was right, in a fresh session."""
    request.session.flush()
    request.session[NAME] = {
        "user": user.pk,
        "password": user.get_session_auth_hash(),
        "at": timezone.now().isoformat(),
        "remember": remember,
        "target": target,
    }
    request.session.set_expiry(int(LASTS.total_seconds()))


def held(request: HttpRequest, *, now: datetime) -> Pending | None:
    """Who is to give a code now; None when nobody is, or the time is over, or the password has changed meanwhile."""
    kept: dict[str, Any] | None = request.session.get(NAME)
    if kept is None or now - datetime.fromisoformat(kept["at"]) > LASTS:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(kept["password"], user.get_session_auth_hash()):
        return None
    return Pending(user, kept["remember"], kept["target"])


def finish(request: HttpRequest, waiting: Pending, code: str) -> bool:
    """Sign in whoever gives the right code; False for a wrong one. Raises TooMany when tries come too fast."""
    count("sign-in", f"address:{peer_address(request)}", signing_in.TRIES_PER_ADDRESS)
    by = services.prove(user=waiting.user, code=code)
    if by is None:
        record(
            actor=None, action="LOGIN", resource="session", resource_id=None, outcome="failed",
            step="second factor", email=masked_email(waiting.user.email),
        )  # fmt: skip
        return False
    request.session.flush()
    signing_in.begin(request, waiting.user, remember=waiting.remember, second_factor=by)
    return True
