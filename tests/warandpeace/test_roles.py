"""The three roles, made by `migrate`: what each may do, and what it may not."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from tests.people import person
from warandpeace.roles import ROLES, apply_roles

pytestmark = pytest.mark.django_db


def test_every_permission_of_the_table_exists() -> None:
    for role in ROLES:
        granted = set(Group.objects.get(name=role.name).permissions.values_list("content_type__app_label", "codename"))

        assert granted == set(role.permissions()), role.name


@pytest.mark.parametrize(
    ("role", "permission", "may"),
    [
        ("editor", "publishing.change_publication", True),
        ("editor", "articles.change_article", True),
        ("editor", "publishing.approve_publication", False),
        ("editor", "publishing.pause_channel", False),
        ("editor", "articles.change_source", False),
        ("publisher", "publishing.approve_publication", True),
        ("publisher", "publishing.pause_channel", True),
        ("publisher", "publishing.change_channel", False),
        ("publisher", "usage.change_provider", False),
        ("operator", "articles.add_source", True),
        ("operator", "publishing.change_channel", True),
        ("operator", "publishing.approve_publication", False),
        ("operator", "publishing.change_publication", False),
        ("operator", "auth.change_user", False),
    ],
)
def test_a_role_may_do_what_it_is_for_and_no_more(role: str, permission: str, may: bool) -> None:
    assert person(role).has_perm(permission) is may


def test_rights_that_were_added_by_hand_are_taken_back() -> None:
    editors = Group.objects.get(name="editor")
    editors.permissions.add(Permission.objects.get(codename="approve_publication"))

    apply_roles(using="default", apps=apps)

    assert not editors.permissions.filter(codename="approve_publication").exists()


def test_a_role_that_was_deleted_comes_back() -> None:
    Group.objects.filter(name="editor").delete()

    apply_roles(using="default", apps=apps)

    assert Group.objects.get(name="editor").permissions.exists()
