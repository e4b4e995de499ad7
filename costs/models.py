"""The models of all slices, so that Django finds them."""

from costs.budgets.models import Budget
from costs.ledger.models import CostEntry, DayTotal, LedgerRun, Subject
from costs.pricing.models import PriceList
from costs.rightsizing.models import Analysis, Recommendation

__all__ = ["Analysis", "Budget", "CostEntry", "DayTotal", "LedgerRun", "PriceList", "Recommendation", "Subject"]
