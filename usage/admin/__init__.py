"""Providers, their keys and budgets, alerts, and the ledger, as operators see them."""

from usage.admin.alert import AlertAdmin
from usage.admin.ledger import ApiUsageDailyAdmin, ApiUsageEventAdmin, ProcessSessionAdmin, SessionStatsDailyAdmin
from usage.admin.money import dollars
from usage.admin.provider import ProviderAdmin, provider_pages

__all__ = [
    "AlertAdmin",
    "ApiUsageDailyAdmin",
    "ApiUsageEventAdmin",
    "ProcessSessionAdmin",
    "ProviderAdmin",
    "SessionStatsDailyAdmin",
    "dollars",
    "provider_pages",
]
