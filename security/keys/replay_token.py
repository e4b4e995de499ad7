"""The one token that a setting gives to all of the replay API (contract: traffic replay §2)."""

import hmac
import re

from django.conf import settings

from config.api.authentication import Principal
from config.api.permissions import ADMIN, VIEWER
from security.accounts.models import User

BELOW = re.compile(r"/+(api/replay|v1)/")
USER_ID = "replay-token"


def principal_of(raw: str, path: str) -> Principal | None:
    """An administrator of replay without a name, when it is that token and the path is one of replay."""
    token = settings.REPLAY_API_TOKEN
    if not token or not BELOW.match(path) or not hmac.compare_digest(raw.encode(), token.encode()):
        return None
    user = User(id=USER_ID, name="holder of the replay token", kind=User.Kind.SERVICE, role=VIEWER)
    return Principal(user=user, role=ADMIN)
