"""A restored backup or a second copy sends nothing before an operator releases it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from publishing import delivery, holding
from publishing.models import Attempt, Channel, Installation, Message, Publication, SandboxPost
from publishing.witness import Memory, Witness
from tests.people import person
from tests.publishing.outbox import approved
from usage.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def has_sent_before(db: None) -> None:
    """PostgreSQL's sequence tells the first number from none by a flag only; no newsroom stays there."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('publishing_attempt_id_seq'), nextval('publishing_attempt_id_seq')")


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


# --- an older state in the same place -------------------------------------------------------------------------------


def later_lost(*publications: Publication) -> None:
    """As if an older copy of the database had been put in its place: what was sent since is not sent there."""
    for publication in publications:
        publication.messages.update(state=Message.State.READY, message_id=None, sent_at=None)
        Publication.objects.filter(pk=publication.pk).update(state=Publication.State.APPROVED, published_at=None)
        SandboxPost.objects.filter(message__publication=publication).delete()
    Attempt.objects.all().delete()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            back = "SELECT setval(%s, GREATEST(last_value - %s, 1), last_value > %s) FROM publishing_attempt_id_seq"
            cursor.execute(back, ["publishing_attempt_id_seq", len(publications), len(publications)])
        else:
            name = Attempt._meta.db_table
            cursor.execute("UPDATE sqlite_sequence SET seq = seq - %s WHERE name = %s", [len(publications), name])


def test_an_older_copy_in_the_same_place_sends_nothing() -> None:
    publication = approved()
    delivery.deliver(publication.channel_id)
    later_lost(publication)

    sent = delivery.deliver(publication.channel_id)

    publication.refresh_from_db()
    assert (sent, publication.state, publication.reason) == (0, Publication.State.HELD, holding.HELD_BY_RESTORE)
    assert Alert.objects.open().filter(code="restored").exists()


def test_it_is_released_once_and_sends_on() -> None:
    publication = approved()
    delivery.deliver(publication.channel_id)
    later_lost(publication)
    holding.hold_after_restore()

    holding.release(Channel.objects.get())

    assert delivery.deliver(publication.channel_id) == 1
    assert holding.hold_after_restore() == 0


def test_another_machine_that_knew_the_later_state_does_not_hold_it_again() -> None:
    publication = approved()
    delivery.deliver(publication.channel_id)
    witness = holding.inspect().witness
    other_machine = witness.path.read_text()
    later_lost(publication)
    holding.hold_after_restore()
    holding.release(Channel.objects.get())

    witness.path.write_text(other_machine)

    assert holding.hold_after_restore() == 0


def test_deleted_rows_are_no_older_state() -> None:
    publication = approved()
    delivery.deliver(publication.channel_id)
    Attempt.objects.all().delete()

    assert holding.hold_after_restore() == 0


def test_a_witness_forgets_the_longer_numbers_of_an_earlier_life(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    witness = Witness("of a database")
    witness.remember(Memory(9, 123_456_789))

    witness.remember(Memory(10, 5))

    assert witness.recall() == Memory(10, 5)


def test_a_damaged_witness_knows_nothing() -> None:
    witness = holding.inspect().witness
    witness.path.write_text("7 ")

    assert witness.recall() is None
    assert holding.hold_after_restore() == 0


def test_where_nothing_can_be_noted_posts_go_out(settings: Settings, tmp_path: Path) -> None:
    publication = approved()
    (tmp_path / "locks").mkdir()
    (tmp_path / "witness").write_text("no folder")
    settings.VAR_DIR = tmp_path

    assert delivery.deliver(publication.channel_id) == 1
