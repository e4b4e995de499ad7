"""The models of all slices, so that Django finds them."""

from costs.ledger.models import CostEntry, DayTotal, LedgerRun, Subject
from costs.pricing.models import PriceList

__all__ = ["CostEntry", "DayTotal", "LedgerRun", "PriceList", "Subject"]
