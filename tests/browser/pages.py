"""Every page of the admin, found by the URL resolver and by the links on the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.contrib import admin
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# Not pages: they answer scripts, do something, lead elsewhere, or end the visit.
NO_PAGES = re.compile(
    r"/(?:logout|jsi18n|autocomplete|export|search|r|live|beside|sample|toggle_sidebar|undo|move|retry|pause|resume)/"
    r"|/passkey/|/(?:\d[\d-]*|[\da-f-]{36})/$"
)


def from_resolver() -> Iterator[str]:
    """The admin's addresses, with a row of their model where they need one."""
    yield from _walk(get_resolver().url_patterns, "/")


def _walk(patterns: list[Any], path: str) -> Iterator[str]:
    for pattern in patterns:
        here = path + str(pattern.pattern).removeprefix("^").removesuffix("$").replace(r"\Z", "")
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern) and here.startswith("/admin/") and "(" not in here:
            yield from filter(None, [_of_a_row(here)])


def _of_a_row(path: str) -> str:
    """The address with the number of the newest row of its model in it; empty if it needs anything else."""
    parameters = PARAMETER.findall(path)
    if not parameters:
        return path
    model = next((one for one in admin.site._registry if path.startswith(root(one))), None)
    newest = model._default_manager.order_by("-pk").first() if model else None
    if newest is None or set(parameters) - {"pk", "object_id", "id"}:
        return ""
    return PARAMETER.sub(str(newest.pk), path)


def root(model: Any) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def kind(address: str) -> str:
    """What sort of page it is: two addresses of one sort differ in the row they show, and need not both be seen.

    A list's filters and pages are no pages of their own, but the queue's tabs are. Empty for what is no page.
    """
    parts = urlsplit(address)
    if NO_PAGES.search(parts.path) or not parts.path.startswith("/admin/"):
        return ""
    try:
        name = resolve(parts.path).view_name
    except Resolver404:
        return ""
    query = {key: value for key, value in parse_qsl(parts.query, keep_blank_values=True) if not key.startswith("_")}
    if name.endswith("_changelist"):
        return f"{name}?{query['stage']}" if "stage" in query else name
    return f"{name}?{','.join(sorted(query))}" if query else name


def shape(address: str) -> str:
    """Which templates make it: lists, forms and histories of most models are the same page with other words."""
    match = resolve(urlsplit(address).path)
    for model, model_admin in admin.site._registry.items():
        stem = f"{model._meta.app_label}_{model._meta.model_name}_"
        if match.url_name and match.url_name.startswith(stem):
            verb = match.url_name.removeprefix(stem)
            own = type(model_admin).__dict__.keys() & {f"{verb}_view", f"{verb.replace('list', '_list')}_template"}
            inlines = bool(model_admin.inlines) if verb == "change" else False
            return match.url_name if own or verb not in VERBS else f"{verb} {inlines}"
    return str(match.url_name)


VERBS = {"changelist", "add", "change", "delete", "history"}
