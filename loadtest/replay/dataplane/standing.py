"""Whether an answer still stands, and its counting: one statement for many questions (contract §4, §7.6, §11)."""

from dataclasses import dataclass
from itertools import groupby

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from config.timeseries.writer import Writer
from loadtest.replay.sessions.models import Session


@dataclass(slots=True)
class Ask:
    """Does the session still have this revision? If so, count the answer.

    `revision` 0 asks only whether it is open. `miss` is what `lastStrictMiss` becomes.
    """

    session_id: str
    revision: int
    injected: bool = False
    miss: dict[str, str] | None = None
    touch: bool = False
    stands: bool = False

    @property
    def writes(self) -> bool:
        return self.injected or self.miss is not None or self.touch


def settle(asks: list[Ask]) -> None:
    """Set `stands` of each. Answers of one session and revision are counted together; a miss writes nothing."""
    writing = sorted((ask for ask in asks if ask.writes), key=_place)
    if writing:
        with transaction.atomic():
            for (session_id, revision), group in groupby(writing, key=_place):
                _count(session_id, revision, list(group))
    if reading := [ask for ask in asks if not ask.writes]:
        wanted = {ask.session_id for ask in reading}
        found = dict(Session.objects.open().filter(pk__in=wanted).values_list("pk", "revision"))
        for ask in reading:
            ask.stands = ask.session_id in found and ask.revision in (0, found[ask.session_id])


def _place(ask: Ask) -> tuple[str, int]:
    return ask.session_id, ask.revision


def _count(session_id: str, revision: int, asks: list[Ask]) -> None:
    changes = {"touched_at": timezone.now()}
    if injected := sum(ask.injected for ask in asks):
        changes["injected_spans"] = F("injected_spans") + injected
    if misses := [ask.miss for ask in asks if ask.miss is not None]:
        changes |= {"strict_misses": F("strict_misses") + len(misses), "last_strict_miss": misses[-1]}
    stands = bool(Session.objects.open().filter(pk=session_id, revision=revision).update(**changes))
    for ask in asks:
        ask.stands = stands


writer: Writer[Ask] = Writer("inject answers", settle, patience_s=2.0)
