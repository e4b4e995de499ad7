"""The models of all slices, so that Django finds them."""

from costs.budgets.models import Budget
from costs.ledger.models import ClosedWeek, CostEntry, DayTotal, LedgerRun, Subject, WeekTotal
from costs.pricing.models import PriceList
from costs.rightsizing.models import Analysis, Recommendation

__all__ = [
    "ClosedWeek",
    "WeekTotal",
    "Analysis",
    "Budget",
    "CostEntry",
    "DayTotal",
    "LedgerRun",
    "PriceList",
    "Recommendation",
    "Subject",
]
