"""The rows of an admin list, letter by letter as the theme writes them, at a small part of the price.

The theme makes for each row anew what is the same in all of them: the heads of the columns, the widget of the
checkbox, the filters that a link carries along, and the templates of cells. Here each is made once in a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final

from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import lookup_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.urls import NoReverseMatch
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.templatetags.unfold_list import CHECKBOX_CLASSES, LINK_CLASSES, ROW_CLASSES, UnfoldResultList
from unfold.utils import display_for_field, display_for_header, display_for_label, display_for_value

CHECKBOX = "action_checkbox"
# Stand in a template's output where the values of a row belong; no text has them.
PLACES: Final = ("\ue000", "\ue001")
ONE_LINE = (models.DateField, models.TimeField, models.ForeignKey)


def form_of(html: str) -> str:
    """For `format_html`: what a template wrote with `PLACES` for values."""
    form = html.replace("{", "{{").replace("}", "}}")
    for number, place in enumerate(PLACES):
        form = form.replace(place, f"{{{number}}}")
    return form


@dataclass(frozen=True)
class Column:
    """A column of a list, by its name or function: its cells are `tag`s labelled `head`, or links to the row's page."""

    name: Any
    head: Any
    tag: str
    classes: Sequence[str]
    is_link: bool

    @cached_property
    def forms(self) -> tuple[str, str]:
        """What stands around a cell's content, and around one that is kept in one line."""
        return self._form(), self._form("nowrap")

    def _form(self, *more: str) -> str:
        classes = " ".join((*self.classes, *more))
        return f'<{self.tag} class="{classes}" data-label="{{}}">{{}}</{self.tag}>'


class Rows:
    """The rows of one list. `headers` are the theme's. A list whose cells can be edited is not for it."""

    def __init__(self, changes: ChangeList, headers: Sequence[Mapping[str, Any]]) -> None:
        self.changes, self.admin = changes, changes.model_admin
        self.empty = self.admin.get_empty_value_display()
        self.columns = list(self._columns([header["text"] for header in headers]))
        self.labels = dict[tuple[Any, Any], SafeString]()
        self._query: str | None = None

    def __iter__(self) -> Iterator[UnfoldResultList]:
        for row in self.changes.result_list:
            yield UnfoldResultList(row, None, [self._cell(column, row) for column in self.columns])

    def _columns(self, heads: Sequence[Any]) -> Iterator[Column]:
        links, is_first = self.changes.list_display_links, True
        for place, name in enumerate(self.changes.list_display):
            is_link = links is not None and (name in links or (is_first and not links))
            tag = "th" if is_link and is_first else "td"
            is_first = is_first and not is_link
            head = heads[place] if place or is_link else _("Select record")
            classes = CHECKBOX_CLASSES if name == CHECKBOX else (f"field-{_plain_name(name, place)}", *ROW_CLASSES)
            yield Column(name, head, tag, classes, is_link)

    def _cell(self, column: Column, row: models.Model) -> SafeString:
        if column.name == CHECKBOX:
            content, is_one_line = format_html(self._checkbox, row.pk), False
        else:
            content, is_one_line = self._content(column, row)
        return format_html(
            column.forms[is_one_line], column.head, self._linked(content, row) if column.is_link else content
        )

    def _content(self, column: Column, row: models.Model) -> tuple[Any, bool]:
        """What a cell shows, and whether it is kept in one line."""
        try:
            field, attribute, value = lookup_field(column.name, row, self.admin)
        except ObjectDoesNotExist:
            return self.empty, False
        empty = getattr(attribute, "empty_value_display", self.empty)
        if field is None or field.auto_created:
            return self._calculated(column, attribute, value, empty), isinstance(value, date | time)
        if isinstance(field.remote_field, models.ManyToOneRel):
            return empty if value is None else value, isinstance(field, ONE_LINE)
        return display_for_field(value, field, empty), isinstance(field, ONE_LINE)

    def _calculated(self, column: Column, attribute: Any, value: Any, empty: str) -> Any:
        """What a method of the list's says, in the manner it asks for."""
        if label := getattr(attribute, "label", False):
            if not isinstance(value, str | tuple):
                return display_for_label(value, empty, label)
            key = (column.name, value)
            if key not in self.labels:
                self.labels[key] = display_for_label(value, empty, label)
            return self.labels[key]
        if getattr(attribute, "header", False):
            is_plain = len(value) == len(PLACES) and all(value) and all(isinstance(one, str | Promise) for one in value)
            return format_html(self._header, *value) if is_plain else display_for_header(value, empty)
        return display_for_value(value, empty, getattr(attribute, "boolean", False))

    def _linked(self, content: Any, row: models.Model) -> Any:
        try:
            address = self.changes.url_for_result(row)
        except NoReverseMatch:
            return content
        opener: str = ""
        if self.changes.is_popup:
            key = str(self.changes.to_field or self.changes.lookup_opts.pk.attname)
            opener = format_html(' data-popup-opener="{}"', row.serializable_value(key))
        return format_html(
            '<a href="{}" class="{}" {}>{}</a>',
            address + self._carried(address),
            " ".join(LINK_CLASSES),
            opener,
            content,
        )

    def _carried(self, address: str) -> str:
        """The filters that the address of a row's page carries along, as its query: the same for all rows."""
        if self._query is None:
            context: Any = {"preserved_filters": self.changes.preserved_filters, "opts": self.changes.opts}
            self._query = str(add_preserved_filters(context, address)).removeprefix(address)
        return self._query

    @cached_property
    def _checkbox(self) -> str:
        return form_of(self.admin.action_checkbox(self.changes.model(pk=PLACES[0])))

    @cached_property
    def _header(self) -> str:
        return form_of(display_for_header(PLACES, self.empty))


def _plain_name(name: Any, place: int) -> str:
    """The name of a column as a class; a column may be a function."""
    if not callable(name):
        return str(name)
    return f"lambda{place}" if name.__name__ == "<lambda>" else str(name.__name__)
