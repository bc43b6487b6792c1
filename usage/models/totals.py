"""Days as the providers' bills have them, and rows of totals that many writers add to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.db import models


def utc_day(moment: datetime) -> date:
    """The UTC day of an aware datetime."""
    return moment.astimezone(UTC).date()


class Totals(models.QuerySet[Any]):
    """Rows that hold totals."""

    def add(self, key: dict[str, Any], amounts: dict[str, Any], **values: Any) -> None:
        """Add `amounts` to the row of `key`, made if it is missing, and set `values`. No writer's part is lost.

        The row stays locked until the transaction ends and everybody writes to it: make this the last step of one.
        """
        changes = values | {name: models.F(name) + amount for name, amount in amounts.items()}
        row = self.filter(**key)
        if not row.update(**changes):
            # Whoever else makes the row at this moment is waited for, so that the second try finds it.
            self.bulk_create([self.model(**key)], ignore_conflicts=True)
            row.update(**changes)
