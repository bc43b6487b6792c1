"""What the admin's lists share. It lives here because every other app may import from here."""

from __future__ import annotations

import json
import time
from typing import Any

from django import forms
from django.contrib.admin import ShowFacets
from django.core.paginator import Page, Paginator
from django.db import OperationalError, connections, models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise, cached_property
from unfold.admin import ModelAdmin, TabularInline
from unfold.views import ChangeList

# The longest list that is counted exactly.
COUNTED = 10_000
# SQLite keeps no statistics to estimate by: it counts for so many seconds, and gives up.
COUNTING_SECONDS = 0.15
# How many steps of its machine SQLite takes between two looks at the clock.
STEPS = 10_000
# From this row on a page is found by its rows' numbers first, which an index alone can tell.
DEEP = 1_000


# For `formfield_overrides`: an address that was typed without its scheme is one of https.
HTTPS_ASSUMED: dict[type[models.Field[Any, Any]], dict[str, Any]] = {models.URLField: {"assume_scheme": "https"}}


def capped_count(queryset: models.QuerySet[Any], cap: int) -> int:
    """How many rows there are, but `cap + 1` if there are more than `cap`: the database stops counting there."""
    return queryset.order_by()[: cap + 1].count()


def estimated_rows(model: type[models.Model], using: str) -> int | None:
    """How many rows the table has by the planner's statistics; None where the database keeps none."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        rows: int = cursor.fetchone()[0]
    return rows if rows >= 0 else None


def estimated_count(queryset: models.QuerySet[Any]) -> int | None:
    """How many rows there are about, without reading them; None where the database cannot tell."""
    if connections[queryset.db].vendor != "postgresql":
        return None
    if not queryset.query.where:
        return estimated_rows(queryset.model, queryset.db)
    # Nothing is explained of a query that Django knows to be empty.
    plan = json.loads(queryset.order_by().values("pk").explain(format="json") or "null")
    return int(plan[0]["Plan"]["Plan Rows"]) if plan else 0


def counted_in_time(queryset: models.QuerySet[Any]) -> int | None:
    """How many rows there are on SQLite, or None if counting them takes longer than `COUNTING_SECONDS`."""
    connection = connections[queryset.db]
    connection.ensure_connection()
    until = time.monotonic() + COUNTING_SECONDS
    connection.connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    try:
        return queryset.order_by().count()
    except OperationalError:
        return None
    finally:
        connection.connection.set_progress_handler(None, 0)


class EstimatedPaginator(Paginator):  # type: ignore[type-arg]  # no generic at run time
    """Pages of a list of any length, each quick: counted while it is short, estimated where it is long."""

    template_name = "admin/pagination_estimate.html"
    is_exact = True
    # False where the count only says how many rows there are at least.
    is_end_known = True

    @cached_property
    def count(self) -> int:
        queryset: models.QuerySet[Any] = self.object_list  # type: ignore[assignment]
        estimate = estimated_count(queryset) or 0
        # What a list reckons out for each of its rows isn't needed to count them.
        if estimate <= 2 * COUNTED and (counted := capped_count(queryset.values("pk"), COUNTED)) <= COUNTED:
            return counted
        if estimate <= COUNTED and connections[queryset.db].vendor == "sqlite":
            counted_all = counted_in_time(queryset)
            self.is_exact = self.is_end_known = counted_all is not None
            return counted_all or COUNTED + 1
        self.is_exact, self.is_end_known = False, estimate > COUNTED
        return max(estimate, COUNTED + 1)

    def page(self, number: int | str) -> Page[Any]:
        """A page deep in the list by the numbers of its rows: what lies before it is walked in the index alone."""
        page = super().page(number)
        start = (page.number - 1) * self.per_page
        if start >= DEEP and isinstance(page.object_list, models.QuerySet):
            whole: models.QuerySet[Any] = self.object_list  # type: ignore[assignment]
            page.object_list = whole.filter(pk__in=self._numbers(whole, start))
        return page

    def _numbers(self, whole: models.QuerySet[Any], start: int) -> list[Any]:
        """The numbers of the rows of a page, walked to from the nearer end of the list.

        Where the count is an estimate, pages of the second half are as far from the end as it says: the last page shows
        the last rows, whatever the estimate missed lies in the middle.
        """
        left = self.count - start
        size = min(self.per_page, left)
        if left < start and self.is_end_known:
            return list(whole.reverse().values_list("pk", flat=True)[left - size : left])
        return list(whole.values_list("pk", flat=True)[start : start + size])


class EstimatedChangeList(ChangeList):
    """Where the whole table isn't counted, nothing is said about how much of it the filters leave."""

    full_result_count: int | None

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.full_result_count is None:
            self.full_result_count = self.result_count


class ExactSearch:
    """Looks for rows whose one searched field is what was typed, by its index; Django's own `=` would fold the case."""

    search_fields: tuple[str, ...]

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(**{self.search_fields[0]: term}), False
        except ValueError:  # letters where a number is searched
            return queryset.none(), False


class SimpleSave:
    """A form without "save and add another": there is room for what is pressed every day."""

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        context["show_save_and_add_another"] = False
        response: HttpResponse = super().render_change_form(request, context, **kwargs)  # type: ignore[misc]
        return response


class LargeTableAdmin(SimpleSave, ModelAdmin):
    """A list that stays quick with millions of rows: no exact counts, fifty rows a page, no "select all pages"."""

    paginator = EstimatedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_disable_select_all = True
    # Counts beside the filters are exact: each would read what it counts.
    show_facets = ShowFacets.NEVER
    list_fullwidth = True
    # The theme's template asks for it in each row; where it is missing that takes longer than the row.
    list_sections = ()
    # What an empty list says: what will fill it, and how.
    empty_text: str | Promise = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EstimatedChangeList


class ReadOnly:
    """Rows that only the product writes: they can be looked at, and nothing else."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class NamedInline(TabularInline):
    """Its fields stand under headings that a screen reader doesn't connect with them: each says its name itself."""

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        field: forms.Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs.setdefault("aria-label", field.label)
        return field


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    can_delete = False
    hide_title = True
    show_change_link = True
