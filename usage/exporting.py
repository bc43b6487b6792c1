"""Lists of the admin as files: what is filtered and searched, row by row, never more than a bounded number.

Texts come from outside, and a spreadsheet takes some for formulas: in CSV these get an apostrophe in front, in XLSX
every text is written as a text. JSON stays as it is.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, Any, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import slugify
from xlsxwriter import Workbook

# More rows than anybody reads in a spreadsheet; who wants all of them copies the database.
ROW_CAP = 50_000
CHUNK = 1_000
# What a spreadsheet takes for the beginning of a formula, full-width signs too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# The longest text of a cell in Excel.
LONGEST_CELL = 32_767

Row = Sequence[Any]


def plain(value: Any) -> Any:
    """A value as files have it: times in the zone of `settings.TIME_ZONE`, with their offset."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, int | float | str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def harmless(value: Any) -> Any:
    """The value, with an apostrophe in front of a text that would be a formula."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value


class Line:
    """A file that only remembers what was written last, for `csv.writer`."""

    def write(self, text: str) -> str:
        return text


def as_csv(names: Sequence[str], rows: Iterable[Row]) -> HttpResponseBase:
    writer = csv.writer(Line())

    def lines() -> Iterator[str]:
        # Without this mark Excel takes UTF-8 for the code page of its machine.
        yield "\ufeff" + writer.writerow(names)
        yield from (writer.writerow([harmless(plain(value)) for value in row]) for row in rows)

    return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")


def as_json(names: Sequence[str], rows: Iterable[Row]) -> HttpResponseBase:
    def lines() -> Iterator[str]:
        before = "[\n"
        for row in rows:
            yield before + json.dumps(dict(zip(names, map(plain, row), strict=True)), ensure_ascii=False)
            before = ",\n"
        yield "\n]\n" if before == ",\n" else "[]\n"

    return StreamingHttpResponse(lines(), content_type="application/json")


def as_xlsx(names: Sequence[str], rows: Iterable[Row]) -> HttpResponseBase:
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115  the answer closes it
    texts_only = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(file, {"constant_memory": True, **texts_only}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(chain([names], rows)):
            for column, value in enumerate(map(plain, row)):
                sheet.write(number, column, value[:LONGEST_CELL] if isinstance(value, str) else value)
    file.seek(0)
    return FileResponse(file, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


FORMATS: dict[str, Callable[[Sequence[str], Iterable[Row]], HttpResponseBase]] = {
    "csv": as_csv,
    "xlsx": as_xlsx,
    "json": as_json,
}


def as_file(form: str, names: Sequence[str], rows: Iterable[Row], stem: str) -> HttpResponseBase:
    """The rows as a file of one of `FORMATS`, named for what they are and the day they were taken."""
    response = FORMATS[form](names, rows)
    name = f"{slugify(stem)}-{timezone.localdate().isoformat()}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def note(request: HttpRequest, model: type[models.Model], what: str, message: str) -> None:
    """One line in the log of changes: who took what, with what filters, in which format."""
    LogEntry.objects.create(
        user_id=cast("int", request.user.pk),
        content_type=ContentType.objects.get_for_model(model, for_concrete_model=False),
        object_repr=what[:200],
        action_flag=CHANGE,
        change_message=message[:500].strip(),
    )


class Exported:
    """A list whose rows can be taken away as a file, with the filters and the search that are set.

    `export_fields` names the columns as `values_list` does; they are the headings too, for files are read by programs.
    """

    export_fields: tuple[str, ...] = ()
    list_after_template = "admin/export.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.export)  # type: ignore[attr-defined]
        return [path("export/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The file; who may see the list may have it, and it is written down who took it."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = request.POST.get("format", "")
        if form not in FORMATS:
            return HttpResponse("format: csv, xlsx or json\n", status=400, content_type="text/plain")
        try:
            changelist = self.get_changelist_instance(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return HttpResponse("No such filter.\n", status=400, content_type="text/plain")
        rows = self.export_rows(changelist.queryset)
        self.note_export(request, form)
        return as_file(form, self.export_fields, rows, self.opts.model_name)  # type: ignore[attr-defined]

    def export_rows(self, queryset: models.QuerySet[Any]) -> Iterator[Row]:
        return queryset.values_list(*self.export_fields)[:ROW_CAP].iterator(chunk_size=CHUNK)

    def note_export(self, request: HttpRequest, form: str) -> None:
        query = request.META.get("QUERY_STRING", "")
        what = str(self.opts.verbose_name_plural)  # type: ignore[attr-defined]
        note(request, self.model, what, f"export {form} {query}")  # type: ignore[attr-defined]
