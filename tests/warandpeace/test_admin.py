"""Every page of the admin opens for everybody who sees its link, in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.factories import PublicationFactory, UserFactory
from tests.people import person, signed_in
from warandpeace.navigation import BADGE_CAP, GROUPS, badge

pytestmark = pytest.mark.django_db

ROLES = ("editor", "publisher", "operator")


def links(client: Client) -> list[str]:
    """The addresses in the sidebar."""
    groups = client.get("/admin/").context["sidebar_navigation"]
    return [item["link"] for group in groups for item in group["items"]]


def administrator() -> Client:
    client = Client()
    client.force_login(UserFactory(is_superuser=True))
    return client


@pytest.mark.parametrize("role", ROLES)
def test_every_link_of_the_sidebar_opens(role: str) -> None:
    client = signed_in(role)

    answers = {link: client.get(link).status_code for link in links(client)}

    assert set(answers.values()) == {200}, answers


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_list_opens_for_an_administrator(language: str) -> None:
    client = administrator()
    client.cookies["django_language"] = language
    pages = [f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry]

    answers = {page: client.get(reverse(page)).status_code for page in pages}

    assert set(answers.values()) == {200}, answers


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_form_for_a_new_row_opens_for_an_administrator(language: str) -> None:
    client = administrator()
    client.cookies["django_language"] = language
    pages = [f"admin:{model._meta.app_label}_{model._meta.model_name}_add" for model in admin.site._registry]

    answers = {page: client.get(reverse(page)).status_code for page in pages}

    assert set(answers.values()) <= {200, 403}, answers


def test_people_are_listed_with_their_roles_in_the_readers_language() -> None:
    person("publisher")

    listed = administrator().get("/admin/auth/user/").content.decode()
    chosen = administrator().get(f"/admin/auth/user/?groups__id__exact={Group.objects.get(name='editor').pk}")

    assert re.search(r"field-roles[^>]*>\s*Выпускающий\s*<", listed)
    assert re.search(r"groups__id__exact=\d+[^<]*Редактор", listed, re.DOTALL)
    assert list(chosen.context["cl"].queryset) == []


def test_a_role_sees_only_links_it_may_open() -> None:
    with translation.override("ru"):
        editors, operators = links(signed_in("editor")), links(signed_in("operator"))

    assert "/admin/usage/provider/" not in editors
    assert "/admin/usage/provider/" in operators


def test_everything_that_is_registered_is_reached_from_the_sidebar_or_from_there() -> None:
    known = {item.model for _title, items in GROUPS for item in items}
    registered = {f"{model._meta.app_label}.{model._meta.model_name}" for model in admin.site._registry}
    schedules = {f"django_celery_beat.{name}schedule" for name in ("crontab", "interval", "clocked", "solar")}

    assert registered - known - schedules <= {"usage.sessionstatsdaily", "warandpeace.quarantinedrow"}


def test_the_queue_wears_the_number_of_what_waits() -> None:
    PublicationFactory.create_batch(2)

    groups = signed_in("editor").get("/admin/").context["sidebar_navigation"]

    queue = next(item for group in groups for item in group["items"] if "pendingpublication" in item["link"])
    assert queue["badge"] == "2"


@pytest.mark.parametrize(("count", "shown"), [(0, ""), (7, "7"), (BADGE_CAP, "99"), (BADGE_CAP + 1, "99+")])
def test_a_badge_stays_short(count: int, shown: str) -> None:
    assert badge(count) == shown


def test_the_admin_is_russian_until_somebody_chooses_english() -> None:
    client = signed_in("publisher")

    russian = client.get("/admin/").content.decode()
    client.post("/i18n/setlang/", {"language": "en", "next": "/admin/"})
    english = client.get("/admin/").content.decode()

    assert "Война и мир" in russian
    assert "War and Peace" in english


def test_our_pages_carry_no_inline_script() -> None:
    publication = PublicationFactory()
    client = signed_in("publisher")
    pages = [
        "/admin/",
        "/admin/publishing/pendingpublication/",
        f"/admin/publishing/publication/{publication.pk}/change/",
    ]

    inline = [re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", client.get(page).content.decode()) for page in pages]

    assert inline == [[], [], []]


def test_permissions_are_named_in_the_readers_language() -> None:
    page = administrator().get(reverse("admin:auth_group_add")).content.decode()

    assert "публикация: изменить" in page
    assert "канал: останавливать и включать каналы" in page
    assert "Can change" not in page


def test_what_was_typed_at_a_failed_sign_in_is_never_shown() -> None:
    attempt: Any = AccessAttempt.objects.create(
        username="olga", ip_address="127.0.0.1", user_agent="browser", failures_since_start=3, post_data="a-secret"
    )
    address = reverse("admin:axes_accessattempt_change", args=[attempt.pk])

    page = signed_in("operator").get(address).content.decode()

    assert "olga" in page
    assert "a-secret" not in page
