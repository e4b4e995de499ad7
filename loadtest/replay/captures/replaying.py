"""A captured case becomes the dependency mock of a new session (contract: traffic replay §12, "replay this case")."""

from django.conf import settings
from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import TooLarge
from loadtest.replay.captures.documents import whole
from loadtest.replay.captures.models import Capture
from loadtest.replay.matching.drafting import replay_of
from loadtest.replay.sessions import services
from loadtest.replay.sessions.models import Mode, Session
from loadtest.replay.spans.reading import exchange, spans

STRICT = {"externalHttp": "strict", "defaultOnMiss": "error"}


def replay(*, capture: Capture, actor: Principal) -> Session:
    """A strict replay session with the case loaded and one rule that answers from it.

    Raises TooLarge for a case above the body limit, Forbidden, Invalid; nothing is made then.
    """
    document = whole(capture, most_bytes=settings.REPLAY_MAX_BODY_BYTES)
    if document is None:
        limit = settings.REPLAY_MAX_BODY_BYTES >> 20
        raise TooLarge(f"The case is larger than {limit} MiB, the most that a session replays")
    directions = {exchange(span).direction for trace in document["traces"] for span in spans(trace)}
    rules = {"version": 1, "rules": [replay_of(directions)]}
    with transaction.atomic():
        session = services.create(mode=Mode.REPLAY, policy=STRICT, actor=actor)
        services.load_case(session_id=session.pk, document=document, actor=actor)
        return services.set_rules(session_id=session.pk, document=rules, actor=actor)
