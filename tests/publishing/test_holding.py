"""A restored backup or a second copy sends nothing before an operator releases it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from publishing import delivery, holding
from publishing.models import Channel, Installation, Publication, SandboxPost
from tests.people import person
from tests.publishing.outbox import approved
from usage.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)


def restore() -> Publication:
    """An approved publication in a database that was written down as another one."""
    publication = approved()
    holding.hold_after_restore()
    Installation.objects.update(fingerprint="another database")
    return publication


def test_a_database_that_is_itself_holds_nothing() -> None:
    publication = approved()

    held = [holding.hold_after_restore() for _ in range(2)]

    assert held == [0, 0]
    assert delivery.deliver(publication.channel_id) == 1


def test_a_restored_database_sends_nothing() -> None:
    publication = restore()

    sent = delivery.deliver(publication.channel_id)

    publication.refresh_from_db()
    assert (sent, publication.state, publication.reason) == (0, Publication.State.HELD, holding.HELD_BY_RESTORE)
    assert Channel.objects.get().is_paused
    assert Alert.objects.open().filter(code="restored").exists()
    assert not SandboxPost.objects.exists()


def test_it_is_held_once_and_not_again_after_the_release() -> None:
    publication = restore()
    holding.hold_after_restore()

    holding.release(Channel.objects.get())

    assert delivery.deliver(publication.channel_id) == 1
    assert not Alert.objects.open().exists()


def test_an_operator_releases_in_the_admin(client: Client) -> None:
    publication = restore()
    holding.hold_after_restore()
    client.force_login(person("operator"))
    chosen = {"action": "release_selected", "_selected_action": str(publication.channel_id)}

    client.post(reverse("admin:publishing_channel_changelist"), chosen)

    publication.refresh_from_db()
    assert publication.state in {Publication.State.APPROVED, Publication.State.PUBLISHED}
    assert Channel.history.first().history_user.groups.get().name == "operator"


def test_what_was_paused_before_stays_paused() -> None:
    publication = restore()
    Channel.objects.update(is_paused=True, pause_reason="by hand")
    holding.hold_after_restore()

    holding.release(Channel.objects.get())

    assert Channel.objects.get().is_paused
    assert delivery.deliver(publication.channel_id) == 0
