"""Putting another price table in the place of one."""

import json
from pathlib import Path
from typing import Any

import msgspec
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Conflict, Invalid
from costs.pricing import queries
from costs.pricing.models import PriceList
from costs.pricing.shapes import read_document
from costs.pricing.tables import PriceTable
from security.audit.services import record


def replace(*, document: Any, provider: str | None = None, actor: Principal | None, request: Any = None) -> PriceList:
    """Let a table hold from its day on, today or later: what was counted keeps the prices of its day.

    Raises Invalid with every fault by its place; Conflict when somebody else did the same at this moment.
    """
    checked = read_document(document)
    if provider is not None and checked["provider"] != provider:
        raise _invalid("provider", f"This is a table of {checked['provider']}, not of {provider}.")
    today = timezone.now().date()
    if checked["valid_from"] < today:
        raise _invalid("valid_from", f"Prices can change from today ({today}) on, not before.")
    stored = json.loads(json.dumps(checked, cls=DjangoJSONEncoder))  # decimals as text: nothing is lost
    mine = PriceList.objects.filter(provider=checked["provider"])
    try:
        with transaction.atomic():
            row = PriceList.objects.create(
                provider=checked["provider"],
                version=(mine.aggregate(newest=Max("version"))["newest"] or 0) + 1,
                valid_from=checked["valid_from"],
                document=stored,
                created_by=actor.name if actor else "",
            )
            facts = {"version": row.version, "valid_from": str(row.valid_from), "sizes": len(checked["sizes"])}
            record(
                actor=actor,
                action="UPDATE",
                resource="price_list",
                resource_id=row.provider,
                request=request,
                after=facts,
            )
    except IntegrityError:
        raise Conflict("Somebody else has just put a table in. Look at it, then try again.") from None
    return row


def read_files_again(*, provider: str, actor: Principal | None, request: Any = None) -> None:
    """Forget the shipped files, so that the next look reads them anew."""
    queries.shipped.cache_clear()
    record(actor=actor, action="UPDATE", resource="price_list", resource_id=provider, request=request, refreshed=True)


def document_of(path: Path) -> Any:
    """The document in a file. Raises Invalid with why it cannot be read."""
    try:
        return queries.document_in(path)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError) as error:
        raise Invalid(f"{path.name} cannot be read: {error}") from None


def check_file(path: Path) -> PriceTable:
    """The table in a file. Raises Invalid with every fault by its place, or with why the file cannot be read."""
    return queries.table_of(read_document(document_of(path)), label=path.stem)


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, details={field: [sentence]})
