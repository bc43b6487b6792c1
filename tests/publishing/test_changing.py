"""After the post: edits, deletions and further postings go through the outbox, and say what became of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from publishing import changing, claims, delivery, post_links, settling
from publishing.approval import AlreadyDecided, Changed
from publishing.changing import NotPossible
from publishing.models import Attempt, Message, Publication, SandboxPost
from publishing.outcomes import Sent, Unknown
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import approved, telegram, wait_is_over
from usage.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)

State = Publication.State
LONG = "Предложение о порте. " * 500  # three messages


def published(text: str = "Текст.") -> Publication:
    publication = approved(telegram(), title="Заголовок", text=text)
    return delivered(publication)


def delivered(publication: Publication) -> Publication:
    wait_is_over()
    delivery.deliver(publication.channel_id)
    return Publication.objects.get(pk=publication.pk)


def edited(publication: Publication, text: str, note: str = "", **known: int) -> Publication:
    known = {"revision": publication.revision, "seen": changing.last_change(publication.messages.all())} | known
    return changing.edit(publication.pk, by=None, title=publication.title, text=text, note=note, **known)


def deleted(publication: Publication) -> Publication:
    return changing.delete(publication.pk, by=None, seen=changing.last_change(publication.messages.all()))


def number_of(publication: Publication, part: int = 1) -> int:
    number = publication.messages.get(ordinal=part).message_id
    assert number is not None
    return number


# --- edit -----------------------------------------------------------------------------------------------------------


def test_an_edit_changes_the_post_where_it_stands(api: BotApi) -> None:
    publication = published()

    edited(publication, "Новый текст.")
    publication = delivered(publication)

    assert len(api.ledger) == 1
    assert "Новый текст." in api.texts[0]
    assert (publication.state, publication.revision) == (State.EDITED, 2)


def test_a_correction_note_stands_below_the_text(api: BotApi) -> None:
    publication = delivered(approved(telegram(language="en")))

    delivered(edited(publication, "New text.", note=" the  number "))

    assert "New text.\n\nCorrection: the number\n" in api.texts[0]


def test_a_shorter_text_takes_the_surplus_away(api: BotApi) -> None:
    publication = published(LONG)

    delivered(edited(publication, "Коротко."))

    assert len(api.ledger) == 1
    assert "Коротко." in api.texts[0]


def test_a_text_that_needs_more_posts_is_refused(api: BotApi) -> None:
    publication = published()

    with pytest.raises(NotPossible, match="3"):
        edited(publication, LONG)

    assert Publication.objects.get().final_text == "Текст."


def test_an_edit_that_changes_nothing_is_refused(api: BotApi) -> None:
    publication = published()

    with pytest.raises(NotPossible):
        edited(publication, "Текст.")


def test_only_the_parts_that_change_are_edited(api: BotApi) -> None:
    publication = published(LONG)

    edited(publication, LONG[:-3] + "!")

    assert [message.target.ordinal for message in Message.objects.filter(change=1) if message.target] == [3]


def test_an_edit_whose_reply_is_lost_is_asked_for_again(api: BotApi) -> None:
    publication = published()
    api.change_faults.append(Fault.DROP)

    between = delivered(edited(publication, "Новый текст."))
    after = delivered(publication)

    assert (between.state, after.state) == (State.CHANGING, State.EDITED)
    assert len(api.called("editMessageText")) == 2
    assert list(Attempt.objects.order_by("id").values_list("outcome", flat=True)) == ["sent", "unknown", "sent"]


def test_an_edit_that_telegram_refuses_is_told_and_the_post_stays(api: BotApi) -> None:
    publication = published()
    api.locked.add(number_of(publication))

    publication = delivered(edited(publication, "Новый текст."))

    assert publication.state == State.PUBLISHED
    assert "не разрешает боту менять" in publication.last_error
    assert Alert.objects.open().filter(code=settling.CHANGE_REFUSED).exists()


def test_a_later_change_that_goes_well_ends_the_alert(api: BotApi) -> None:
    publication = published()
    api.locked.add(number_of(publication))
    publication = delivered(edited(publication, "Новый текст."))
    api.locked.clear()

    publication = delivered(deleted(publication))

    assert (publication.state, publication.last_error) == (State.DELETED, "")
    assert not Alert.objects.open().exists()


def test_what_somebody_has_changed_meanwhile_is_not_changed_again(api: BotApi) -> None:
    publication = published()
    delivered(edited(publication, "Новый текст."))

    with pytest.raises(Changed):
        edited(publication, "Другой текст.", seen=0)


# --- delete and post again ------------------------------------------------------------------------------------------


def test_a_deletion_takes_all_parts_away_the_last_one_first(api: BotApi) -> None:
    publication = published(LONG)

    publication = delivered(deleted(publication))

    assert (api.ledger, publication.state) == ([], State.DELETED)
    numbers = [int(call["message_id"]) for call in api.called("deleteMessage")]
    assert numbers == sorted(numbers, reverse=True)


def test_what_somebody_has_deleted_in_telegram_is_deleted(api: BotApi) -> None:
    publication = published()
    api.ledger.clear()

    assert delivered(deleted(publication)).state == State.DELETED


def test_a_part_that_can_not_be_deleted_does_not_keep_the_others(api: BotApi) -> None:
    publication = published(LONG)
    api.locked.add(number_of(publication, 2))

    publication = delivered(deleted(publication))

    assert [post["message_id"] for post in api.ledger] == list(api.locked)
    assert publication.state == State.EDITED
    assert publication.last_error


def test_what_a_moved_chat_left_behind_is_not_changed_under_its_old_number(api: BotApi) -> None:
    publication = published()
    api.change_faults.append(Fault.MIGRATED)

    publication = delivered(deleted(publication))

    assert (publication.state, len(api.ledger)) == (State.PUBLISHED, 1)
    assert "остались" in publication.last_error
    assert publication.channel.chat_id == "-1002000000001"
    assert Alert.objects.open().filter(code=settling.CHANGE_REFUSED).exists()
    with pytest.raises(NotPossible):
        deleted(publication)
    assert not changing.options(publication).edit
    assert not changing.options(publication).delete
    assert post_links.link_to(publication.messages.earliest("pk"), publication.channel) == ""


def test_a_publication_is_posted_again_as_it_reads_now(api: BotApi) -> None:
    publication = delivered(deleted(published()))

    changing.post_again(publication.pk, by=None, seen=1)
    publication = delivered(publication)

    assert (len(api.ledger), publication.state) == (1, State.PUBLISHED)
    assert len(api.sent) == 2


def test_two_clicks_post_it_once(api: BotApi) -> None:
    publication = published()
    changing.post_again(publication.pk, by=None, seen=0)
    delivered(publication)

    with pytest.raises(Changed):
        changing.post_again(publication.pk, by=None, seen=0)

    assert len(api.sent) == 2


def test_what_failed_halfway_is_deleted_before_it_is_posted_again(api: BotApi) -> None:
    publication = approved(telegram(), text=LONG)
    posting = delivery.deliveries(publication.channel_id)
    next(posting)
    api.faults.append(Fault.REFUSED)
    list(posting)
    publication.refresh_from_db()

    before = changing.options(publication)
    after = changing.options(delivered(deleted(publication)))

    assert (before.post_again, before.delete) == (False, True)
    assert (after.post_again, api.ledger) == (True, [])


# --- what may not happen --------------------------------------------------------------------------------------------


def test_a_change_of_which_telegram_knows_nothing_is_taken_back(api: BotApi) -> None:
    publication = edited(published(), "Новый текст.")

    publication = changing.cancel(publication.pk, by=None)

    assert (publication.state, Message.objects.count()) == (State.PUBLISHED, 1)


def test_a_change_that_may_have_happened_is_not_taken_back(api: BotApi) -> None:
    publication = published()
    api.change_faults.append(Fault.DROP)
    delivered(edited(publication, "Новый текст."))

    with pytest.raises(AlreadyDecided):
        changing.cancel(publication.pk, by=None)


def test_a_further_posting_that_may_have_happened_is_not_sent_twice(api: BotApi) -> None:
    publication = published()
    changing.post_again(publication.pk, by=None, seen=0)
    api.faults.append(Fault.DROP)

    delivered(publication)
    delivered(publication)

    assert len(api.sent) == 2
    assert Message.objects.get(change=1).state == Message.State.UNKNOWN


def test_a_death_during_an_edit_leaves_it_to_be_repeated(api: BotApi) -> None:
    publication = edited(published(), "Новый текст.")
    claim = claims.claim(publication.channel_id)
    assert claim is not None
    attempt = claims.begin(claim, timedelta(seconds=1))
    assert attempt is not None
    wait_is_over()

    delivery.recover()

    assert Message.objects.get(change=1).state == Message.State.READY
    assert delivered(publication).state == State.EDITED


def test_a_late_proof_of_an_edit_still_counts(api: BotApi) -> None:
    publication = edited(published(), "Новый текст.")
    claim = claims.claim(publication.channel_id)
    assert claim is not None
    attempt = claims.begin(claim, timedelta(seconds=1))
    assert attempt is not None
    settling.settle(attempt, Unknown("?"))

    settling.settle(attempt, Sent(100))

    assert Publication.objects.get().state == State.EDITED


# --- the sandbox ----------------------------------------------------------------------------------------------------


def test_the_sandbox_is_edited_and_deleted() -> None:
    publication = delivered(approved(text="Текст."))

    publication = delivered(edited(publication, "Новый текст."))
    assert "Новый текст." in SandboxPost.objects.get().payload["text"]

    publication = delivered(deleted(publication))
    assert (SandboxPost.objects.count(), publication.state) == (0, State.DELETED)
