"""Which pages of the admin are timed: found in its registry and on its lists, so that a new one is timed as well."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

from django.contrib import admin
from django.template.response import TemplateResponse
from django.test import Client
from django.urls import get_resolver, reverse

from articles.models import Article, Source
from publishing.models import Channel, Digest, Message, PendingPublication, Publication
from tests.bench.search import ROWS, Language
from usage.models import ApiUsageEvent

# Of each kind of row so many are opened.
ROWS_OPENED = 20
SEARCHES_BY_NUMBER = {
    "usage.apiusageevent": "article:{}",
    "articles.tag": "Тема {}",
    "articles.source": "Источник {}",
}
Address = Callable[[], str]


@dataclass(frozen=True)
class Page:
    """A page to be asked for: each time another address; the stock admin's for the same, where it has one."""

    name: str
    address: Address
    stock: Address | None = None


class Plain(admin.ModelAdmin):  # type: ignore[type-arg]
    """What most projects write."""

    list_per_page = 50


class PlainArticles(Plain):
    date_hierarchy = "published_at"
    search_fields = ("title", "content")
    list_filter = ("status", "source", "language")
    list_display = ("title", "status", "source", "published_at")


class PlainPublications(Plain):
    date_hierarchy = "created_at"
    search_fields = ("title", "text")
    list_filter = ("state", "channel")
    list_display = ("title", "state", "channel", "published_at")


class PlainEvents(Plain):
    date_hierarchy = "started_at"
    search_fields = ("subject",)
    list_filter = ("state", "provider", "purpose")
    list_display = ("started_at", "state", "provider", "model", "purpose", "cost_usd")


stock = admin.AdminSite(name="stock")
stock.register(Article, PlainArticles)
stock.register([Publication, PendingPublication], PlainPublications)
stock.register(ApiUsageEvent, PlainEvents)


def lists(client: Client, language: Language) -> Iterator[Page]:
    """Of every list: its first page, each filter, each order, a deep page and the last, and a search."""
    for model, model_admin in admin.site._registry.items():
        label = model._meta.label_lower
        own = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        theirs = own.replace("/admin/", "/stock/") if model in stock._registry else ""
        answer = client.get(own)
        if answer.status_code == HTTPStatus.FORBIDDEN:  # no role has it
            continue
        yield Page(f"{label}: first page", always(own), always(theirs) if theirs else None)
        changes = getattr(answer, "context_data", {}).get("cl")
        if changes is None:
            continue
        for spec in changes.filter_specs:
            queries = [f"{own}{choice['query_string']}" for choice in spec.choices(changes) if "query_string" in choice]
            if len(queries) > 1:
                same = one_of([query.replace("/admin/", "/stock/") for query in queries[1:]])
                has_it = theirs and type(spec).__module__.startswith("django.contrib.admin.filters")
                yield Page(f"{label}: by {spec.title}", one_of(queries[1:]), same if has_it else None)
        for place, column in enumerate(changes.list_display):
            if column in changes.sortable_by and column != "action_checkbox":
                yield Page(f"{label}: in order of {column}", one_of([f"{own}?o={place}", f"{own}?o=-{place}"]))
        if (last := changes.paginator.num_pages) > 2:
            yield deep(f"{label}: a page in the second half", own, theirs, range(last // 2, last))
            yield deep(f"{label}: a page near the last", own, theirs, range(int(0.99 * last), last))
        if model_admin.search_fields and model is not Article:
            pattern = SEARCHES_BY_NUMBER.get(label, "{}")
            yield searched(f"{label}: search by number", own, theirs, lambda p=pattern: p.format(some_number()))  # type: ignore[misc]
    own = reverse("admin:articles_article_changelist")
    ninth = range(min(8_990, ROWS // 60), min(9_010, ROWS // 51))
    yield deep("articles.article: page 9,000", own, "/stock/articles/article/", ninth)
    kinds = {**language.queries(), "a number": lambda: str(some_number()), "an address": some_address}
    for kind, words in kinds.items():
        yield searched(f"articles.article: search, {kind}", own, "/stock/articles/article/", words)
    source = Source.objects.order_by("pk")[0].pk
    yield searched(
        "articles.article: search in one source", f"{own}?source__id__exact={source}", "", kinds["a frequent word"]
    )


def always(address: str) -> Address:
    return lambda: address


def one_of(addresses: list[str]) -> Address:
    return lambda: random.choice(addresses)  # noqa: S311


def deep(name: str, own: str, theirs: str, pages: range) -> Page:
    return Page(
        name,
        lambda: f"{own}?p={random.choice(pages)}",  # noqa: S311
        (lambda: f"{theirs}?p={random.choice(pages)}") if theirs else None,  # noqa: S311
    )


def searched(name: str, own: str, theirs: str, words: Address) -> Page:
    mark = "&" if "?" in own else "?"
    return Page(name, lambda: f"{own}{mark}q={words()}", (lambda: f"{theirs}?q={words()}") if theirs else None)


def some_number() -> int:
    return random.randrange(1, ROWS)  # noqa: S311


def some_address() -> str:
    return Article.objects.values_list("canonical_link", flat=True).get(pk=some_number())


def singles(client: Client) -> Iterator[Page]:
    """The pages people live in, and one row of each kind."""
    queue = reverse("admin:publishing_pendingpublication_changelist")
    channel = Channel.objects.order_by("pk")[0].pk
    yield Page("dashboard", always(reverse("admin:index")))
    for stage in ("waiting", "approved", "sending", "person", "held"):
        yield Page(f"queue: {stage}", always(f"{queue}?stage={stage}"))
    yield Page("queue: of a channel", always(f"{queue}?channel__id__exact={channel}"))
    yield Page("queue: what is new", always(f"{queue}live/"))
    for view in ("week", "month"):
        yield Page(f"calendar: {view}", always(f"{queue}calendar/?view={view}&channel={channel}"))
    source = Source.objects.order_by("pk")[0].pk
    years = [f"{reverse('admin:articles_source_coverage', args=[source])}?year={year}" for year in range(2008, 2026)]
    yield Page("coverage map", one_of(years))
    for model in (Article, Publication, ApiUsageEvent, Message, Source, Channel, Digest):
        numbers = list(model._default_manager.order_by("pk").values_list("pk", flat=True)[: 50 * ROWS_OPENED : 50])
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        if numbers:
            yield Page(f"{model._meta.label_lower}: a row", one_of([reverse(name, args=[pk]) for pk in numbers]))
    for name in own_views(client):
        yield Page(name.replace("admin:", ""), always(reverse(name)))


def own_views(client: Client) -> list[str]:
    """Pages of the admin that are neither of a model's five nor of a row: reports, for example."""
    models_own = ("_changelist", "_add", "_change", "_delete", "_history")
    seen_already = ("queue_", "login", "logout", "password_change", "index")
    found = []
    resolver = get_resolver().namespace_dict["admin"][1]
    for name in filter(lambda key: isinstance(key, str), resolver.reverse_dict):
        takes_nothing = any(not needed for _pattern, needed in resolver.reverse_dict.getlist(name)[0][0])
        if takes_nothing and not name.endswith(models_own) and not any(part in name for part in seen_already):
            answer = client.get(reverse(f"admin:{name}"))
            is_page = answer.status_code == HTTPStatus.OK and isinstance(answer, TemplateResponse)
            found += [f"admin:{name}"] if is_page else []
    return sorted(found)
