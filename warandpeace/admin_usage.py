"""The totals of days in the admin, with what came of the calls: usage knows none of the posts they were made for."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.contrib import admin

from publishing.models import Publication
from usage.admin import ApiUsageDailyAdmin
from usage.models import ApiUsageDaily
from usage.overview import Span


@admin.register(ApiUsageDaily)
class UsageAdmin(ApiUsageDailyAdmin):
    def posts(self, span: Span) -> int | None:
        begins = datetime.combine(span.first, time.min, tzinfo=UTC)
        ends = datetime.combine(span.last + timedelta(days=1), time.min, tzinfo=UTC)
        return Publication.objects.filter(published_at__gte=begins, published_at__lt=ends).count()
