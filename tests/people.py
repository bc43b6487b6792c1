"""Clients that are signed in, by role."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.test import Client

from tests.factories import UserFactory


def person(role: str) -> User:
    """Somebody who may enter the admin in the role, or in none for an empty name."""
    user: User = UserFactory(username=role or "nobody")
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def signed_in(role: str) -> Client:
    """A browser in which somebody of the role is signed in."""
    client = Client()
    client.force_login(person(role))
    return client
