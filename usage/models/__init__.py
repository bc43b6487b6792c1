"""The ledger: every call to a paid API, what it cost, and the processes that made it.

Times are UTC instants; a day is a UTC day, as in the bills of the providers.
"""

from usage.models.alert import Alert
from usage.models.ledger import ApiUsageDaily, ApiUsageEvent, Spending
from usage.models.process import ProcessSession, SessionStatsDaily
from usage.models.provider import LONGEST_TIMEOUT, ApiKey, Provider, PurposeBudget
from usage.models.totals import Totals, utc_day

__all__ = [
    "LONGEST_TIMEOUT",
    "Alert",
    "ApiKey",
    "ApiUsageDaily",
    "ApiUsageEvent",
    "ProcessSession",
    "Provider",
    "PurposeBudget",
    "SessionStatsDaily",
    "Spending",
    "Totals",
    "utc_day",
]
