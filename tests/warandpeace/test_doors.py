"""Every address the product answers, tried by a stranger and by each role, by GET and by POST."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from publishing.models import Publication
from tests.factories import ArticleFactory, PublicationFactory, UserFactory
from tests.people import person
from warandpeace.roles import ROLES

pytestmark = pytest.mark.django_db

NAMES = [role.name for role in ROLES]
METHODS = ("get", "post")
# 503 is readyz, for nothing sweeps here.
BROKEN = {500, 501, 502}
# Nobody's own machine: /metrics is open to this one.
ABROAD = "203.0.113.9"
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# What strangers may open: the public pages, the demo, the sandbox's posts and their pictures, and the way in. The
# webhook knows Telegram by its secret, readyz says only whether it is ready.
PUBLIC = {
    "home",
    "favicon",
    "readyz",
    "demo-feed",
    "demo-article",
    "set_language",
    "telegram-webhook",
    "admin:login",
    "signing_in:passkey-begin",
    "signing_in:passkey-complete",
}
# The theme's own, for whoever is in the admin at all.
FOR_ALL_STAFF = {
    "index",
    "logout",
    "password_change",
    "password_change_done",
    "autocomplete",
    "jsi18n",
    "view_on_site",
    "app_list",
    "search",
    "toggle_sidebar",
}
# "Add" makes a digest again out of a period: that is for whoever may change digests.
OWN_RULES = {"admin:publishing_digest_add": {"publishing.change_digest"}}
VERBS = {"changelist": "view", "add": "add", "change": "view", "delete": "delete", "history": "view"}


@dataclass(frozen=True)
class Door:
    path: str
    name: str

    @property
    def permissions(self) -> set[str]:
        """One of which lets somebody through an admin page, by the model it belongs to; empty for other pages."""
        if self.name in OWN_RULES:
            return OWN_RULES[self.name]
        for model in admin.site._registry:
            app_label, model_name = model._meta.app_label, model._meta.model_name
            stem = f"admin:{app_label}_{model_name}_"
            if self.path.startswith(f"/admin/{app_label}/{model_name}/"):
                verb = VERBS.get(self.name.removeprefix(stem), "view")
                also = {"change"} if verb == "view" else set()
                return {f"{app_label}.{name}_{model_name}" for name in {verb, *also}}
        return set()


def walk(patterns: list[Any], path: str = "/", namespace: str = "") -> Iterator[Door]:
    for pattern in patterns:
        here = path + PARAMETER.sub("999", str(pattern.pattern)).removeprefix("^").removesuffix("$").replace(r"\Z", "")
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, here, inner)
        elif isinstance(pattern, URLPattern) and "(" not in here:
            yield Door(here, f"{namespace}{pattern.name or ''}")


@cache
def doors() -> tuple[Door, ...]:
    return tuple(walk(get_resolver().url_patterns))


def client_of(user: User | None = None, **options: Any) -> Client:
    client = Client(raise_request_exception=False, REMOTE_ADDR=ABROAD, **options)
    if user:
        client.force_login(user)
    return client


def answers(client: Client, door: Door) -> list[Any]:
    return [getattr(client, method)(door.path) for method in METHODS]


def is_shut(answer: Any) -> bool:
    """Refused, not there, shown the way in, or sent on: to the dashboard from a missing row, or to its form."""
    sent_to = answer.headers.get("Location", "")
    elsewhere = sent_to == "/admin/" or sent_to.startswith("/admin/login/") or sent_to.endswith("/999/change/")
    return answer.status_code in {400, 401, 403, 404, 405} or elsewhere


def test_the_walk_finds_the_doors_of_every_part() -> None:
    found = {door.name for door in doors()}

    assert {"home", "metrics", "telegram-webhook", "signing_in:mine", "admin:publishing_publication_change"} <= found
    assert len(doors()) > 150


def test_a_stranger_opens_public_pages_and_nothing_else() -> None:
    client = client_of()

    open_doors = {
        door.name
        for door in doors()
        for answer in answers(client, door)
        if not is_shut(answer) and door.name not in PUBLIC
    }

    assert open_doors <= {"admin:logout"}


@pytest.mark.parametrize("role", NAMES)
def test_a_role_opens_only_what_its_table_says(role: str) -> None:
    user = person(role)
    client, wrong = client_of(user), list[str]()

    for door in doors():
        needed = door.permissions
        for method in METHODS:
            if door.name.endswith("logout"):
                continue
            answer = getattr(client, method)(door.path)
            allowed = not needed or any(user.has_perm(name) for name in needed)
            is_owed = allowed and needed and method == "get" and door.name.endswith("_changelist")
            is_broken, let_in = answer.status_code in BROKEN, not is_shut(answer)
            if is_broken or (let_in and not allowed) or (is_owed and answer.status_code != 200):
                wrong.append(f"{method} {door.path} {answer.status_code}")

    assert wrong == []


def test_no_form_is_taken_without_its_token() -> None:
    client = client_of(UserFactory(is_superuser=True), enforce_csrf_checks=True)

    taken = [door.name for door in doors() if client.post(door.path).status_code not in {403, 404}]

    # Telegram has no cookie of ours: it shows the secret instead, and is refused without it.
    assert set(taken) <= {"telegram-webhook"}


@pytest.mark.parametrize(
    ("role", "may_change", "may_approve"),
    [("viewer", False, False), ("editor", True, False), ("publisher", True, True), ("operator", False, False)],
)
def test_a_posted_form_changes_only_what_the_role_may(role: str, may_change: bool, may_approve: bool) -> None:
    article = ArticleFactory(title="old")
    publication = PublicationFactory()
    client = client_of(person(role))
    queue = reverse("admin:publishing_pendingpublication_changelist")

    client.post(
        reverse("admin:articles_article_change", args=[article.pk]),
        {"title": "new", "summary_text": "", "lead": "", "content": "", "topic": "", "_save": "1"},
    )
    client.post(
        queue,
        {
            "action": "approve_selected",
            "_selected_action": [publication.pk],
            f"revision-{publication.pk}": publication.revision,
        },
    )

    article.refresh_from_db()
    publication.refresh_from_db()
    assert (article.title == "new") <= may_change
    assert (publication.state != Publication.State.PENDING) is may_approve


# --- what every answer carries ----------------------------------------------------------------------------------------


def test_every_page_has_the_headers_that_browsers_obey() -> None:
    headers = client_of(person("publisher")).get("/admin/").headers

    policy = headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in re.sub(r" 'nonce-[^']*'", "", policy)
    assert all(rule in policy for rule in ("object-src 'none'", "frame-ancestors 'none'", "base-uri 'self'"))
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    user = person("editor")
    user.set_password("a-long-enough-password")
    user.save()

    cookie = (
        client_of()
        .post("/admin/login/", {"username": user.username, "password": "a-long-enough-password"})
        .cookies["sessionid"]
    )

    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)


def test_https_is_remembered_by_browsers(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True

    headers = Client().get("/", secure=True).headers

    assert headers["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEYS?$")
# Named like secrets, and none: names, numbers, switches, lists of classes.
NO_SECRETS = re.compile(r"^(CSRF_|AXES_|AUTH_PASSWORD|PASSWORD_|SECRET_KEY_FALLBACKS|OTP_|SHORTEST|.*TIMEOUT)")
CANARY = "canary-that-must-never-be-seen-0123456789-abcdefghijkl"


def secret_settings() -> list[str]:
    return [name for name in dir(configured) if name.isupper() and SECRET.search(name) and not NO_SECRETS.match(name)]


def test_the_secrets_are_those_we_know() -> None:
    assert {"SECRET_KEY", "METRICS_TOKEN", "TELEGRAM_BOT_TOKEN", "TELEGRAM_TOKENS", "GOOGLE_API_KEYS"} <= set(
        secret_settings()
    )


# Data for a script is none; Unfold's own scripts carry the page's nonce.
INLINE = re.compile(r'<script(?![^>]*(?:\bsrc=|application/json|nonce=))[^>]*>|\son(?:click|change|submit|load)="')


def test_no_page_shows_a_secret_or_has_a_script_within(settings: Any) -> None:
    for name in secret_settings():
        kind = type(getattr(configured, name))
        value: Any = {"TELEGRAM_BOT_TOKEN": CANARY} if kind is dict else [CANARY] if kind is list else CANARY
        setattr(settings, name, value)
    client = client_of(UserFactory(is_superuser=True))
    PublicationFactory()

    texts = {door.path: text_of(client.get(door.path)) for door in doors()}

    assert [path for path, text in texts.items() if CANARY in text] == []
    assert [path for path, text in texts.items() if path.startswith("/admin/") and INLINE.search(text)] == []


def text_of(answer: Any) -> str:
    return "" if answer.streaming else answer.content.decode(errors="replace")
