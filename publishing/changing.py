"""After the post: edit it where it stands, delete it, post it again. Each goes out through the outbox like a post.

published, edited ─ edit, delete, post again ─▶ changing ─ all its messages are at rest ─▶ edited | deleted | published

A decision is one transaction: the publication's state, its text, and the messages of the change, frozen. Nothing of
it is asked of Telegram here. An edit keeps the posts that stand: a shorter text deletes those that are left over, a
longer one that would need more posts is refused, because what is added would stand below everything posted since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from publishing import approval, standing
from publishing.approval import AlreadyDecided, ApprovalError, Changed, NothingToSend
from publishing.models import Attempt, Message, Publication
from publishing.rendering import payload_hash, render
from publishing.splitting import MAX_CAPTION_UNITS, units
from publishing.standing import Post

Action, State = Message.Action, Publication.State

EDITABLE = (State.PUBLISHED, State.EDITED)
DELETABLE = (State.PUBLISHED, State.EDITED, State.FAILED)
REPEATABLE = (State.PUBLISHED, State.EDITED, State.DELETED, State.FAILED)
# What a call leaves behind that may have reached Telegram.
MAY_BE_DONE = (Attempt.Outcome.PENDING, Attempt.Outcome.SENT, Attempt.Outcome.UNKNOWN)


class NotPossible(ApprovalError):
    """The posts can't be changed in this way; the text says why, and what can be done instead."""


@dataclass(frozen=True)
class Options:
    """What may be decided about a publication that has gone out."""

    edit: bool = False
    delete: bool = False
    post_again: bool = False
    cancel: bool = False

    def __bool__(self) -> bool:
        return self.edit or self.delete or self.post_again or self.cancel


def options(publication: Publication) -> Options:
    """What may be asked for, as far as rows tell. Reads `publication.messages`, so fetch them along."""
    messages = list(publication.messages.all())
    posts = standing.posts(messages)
    stands = bool(posts) and not any(standing.is_left_behind(post.message, publication.channel) for post in posts)
    return Options(
        edit=publication.state in EDITABLE and stands,
        delete=publication.state in DELETABLE and stands,
        post_again=_is_repeatable(publication, messages),
        cancel=publication.state == State.CHANGING and _is_untouched(messages),
    )


def _is_repeatable(publication: Publication, messages: Sequence[Message]) -> bool:
    """Whether it may go out once more: what failed must not stand there in part, nor be returnable to the queue."""
    if publication.state == State.FAILED:
        was_out = any(message.state == Message.State.SENT for message in messages)
        return was_out and not standing.posts(messages)
    return publication.state in REPEATABLE


def last_change(messages: Iterable[Message]) -> int:
    """The number of the latest change: who decides the next one must have seen this."""
    return max((message.change for message in messages), default=0)


# --- edit -----------------------------------------------------------------------------------------------------------


def with_note(publication: Publication, text: str, note: str) -> str:
    """The text with a correction note as its last paragraph, in the channel's language."""
    if not note.strip():
        return text
    with translation.override(publication.channel.language):
        name = pgettext("below a post", "Correction")
    return f"{text.rstrip()}\n\n{name}: {' '.join(note.split())}"


def plan_edit(publication: Publication, *, title: str, text: str, note: str = "") -> list[Message]:
    """The messages that would let the posts say this; none of them is saved. Changes the instance, not the row.

    Raises NotPossible if the posts can't say it, NothingToSend if there is nothing to say.
    """
    posts = _posts_with_numbers(publication)
    publication.title, publication.edited_text = title[:1000], with_note(publication, text, note)
    payloads = [part.payload() for part in render(publication)]
    if not payloads:
        raise NothingToSend(_("There is nothing to send: write a title or a text first."))
    if len(payloads) > len(posts):
        raise NotPossible(_too_long(len(payloads), len(posts)))
    wanted = [_in_the_form_of(post, payload) for post, payload in zip(posts, payloads, strict=False)]
    edits = [_edit(post, payload) for post, payload in zip(posts, wanted, strict=False) if payload != post.payload]
    messages = edits + [_deletion(post) for post in reversed(posts[len(payloads) :])]
    if not messages:
        raise NotPossible(_("The post says exactly this already: there is nothing to edit."))
    return messages


def _too_long(needed: int, standing_now: int) -> str:
    stands = ngettext("%(count)d message stands", "%(count)d messages stand", standing_now) % {"count": standing_now}
    return _(
        "The text needs %(needed)d messages, but %(stands)s in the channel. Shorten it,"
        " or delete the post and post it again."
    ) % {"needed": needed, "stands": stands}


def _in_the_form_of(post: Post, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The new words in the form in which the post stands: a picture stays a picture, a text stays a text."""
    kept = {name: post.payload[name] for name in ("kind", "media") if name in post.payload}
    words = {"text": payload["text"], "entities": payload["entities"]}
    if post.payload.get("kind") == "photo" and units(payload["text"]) > MAX_CAPTION_UNITS:
        too_long = _("The text below a picture may have %(limit)d characters. Shorten it, or delete and post again.")
        raise NotPossible(too_long % {"limit": MAX_CAPTION_UNITS})
    source = post.payload if kept else payload
    return words | kept | {"link_preview_options": source["link_preview_options"]}


@transaction.atomic
def edit(
    publication_id: int,
    *,
    by: AbstractBaseUser | None,
    revision: int,
    seen: int,
    title: str,
    text: str,
    note: str = "",
) -> Publication:
    """Let the posts in the channel say this. `seen` is the number of the last change the person knows of.

    Raises ApprovalError if that is not possible, or somebody has changed it meanwhile.
    """
    publication = approval.current(publication_id, revision)
    messages = plan_edit(publication, title=title, text=text, note=note)
    values = {"title": publication.title, "edited_text": publication.edited_text, "revision": F("revision") + 1}
    _begin(publication, EDITABLE, seen, messages, **values)
    return approval.recorded(publication, by, "edit")


# --- delete, post again, cancel -------------------------------------------------------------------------------------


@transaction.atomic
def delete(publication_id: int, *, by: AbstractBaseUser | None, seen: int) -> Publication:
    """Take what stands in the channel away from there, the last part first. Raises ApprovalError."""
    publication = approval.current(publication_id)
    _begin(publication, DELETABLE, seen, plan_deletion(publication))
    return approval.recorded(publication, by, "delete")


def plan_deletion(publication: Publication) -> list[Message]:
    """The messages that would take away what stands in the channel; none of them is saved. Raises NotPossible."""
    return [_deletion(post) for post in reversed(_posts_with_numbers(publication))]


@transaction.atomic
def post_again(publication_id: int, *, by: AbstractBaseUser | None, seen: int) -> Publication:
    """Post the publication once more, as it reads now; what stands already stays. Raises ApprovalError."""
    publication = approval.current(publication_id)
    _begin(publication, REPEATABLE, seen, plan_posting(publication))
    return approval.recorded(publication, by, "post again")


def plan_posting(publication: Publication) -> list[Message]:
    """The messages that would post it once more; none of them is saved. Raises NotPossible or NothingToSend."""
    if not _is_repeatable(publication, list(publication.messages.all())):
        raise NotPossible(_("It can't be posted again as it is. Delete first what of it stands in the channel."))
    parts = render(publication)
    if not parts:
        raise NothingToSend(_("There is nothing to send: write a title or a text first."))
    return [_message(publication, Action.SEND, part.payload(), publication.priority) for part in parts]


@transaction.atomic
def cancel(publication_id: int, *, by: AbstractBaseUser | None) -> Publication:
    """Take back a change of which Telegram can't know yet. Raises ApprovalError if it may."""
    publication = approval.current(publication_id)
    approval.change(publication, (State.CHANGING,), last_error="")
    messages = list(Message.objects.select_for_update().filter(publication=publication).prefetch_related("attempts"))
    if not _is_untouched(messages):
        raise AlreadyDecided(_("It is too late to take this back: Telegram was asked already."))
    change = last_change(messages)
    Message.objects.filter(publication=publication, change=change).delete()
    earlier = [message for message in messages if message.change < change]
    back = standing.state_of(earlier) if earlier else State.PUBLISHED
    Publication.objects.filter(pk=publication.pk).update(state=back, last_error="")
    return approval.recorded(publication, by, "cancel")


def _is_untouched(messages: Sequence[Message]) -> bool:
    """Whether nothing of the latest change can have reached Telegram."""
    for message in standing.latest(messages):
        outcomes = {attempt.outcome for attempt in message.attempts.all()}
        if message.state != Message.State.READY or outcomes & set(MAY_BE_DONE):
            return False
    return True


# --- the change's messages ------------------------------------------------------------------------------------------


def _posts_with_numbers(publication: Publication) -> list[Post]:
    """What stands in the channel. Raises NotPossible if nothing does, or if Telegram couldn't be told which it is."""
    posts = standing.posts(publication.messages.all())
    if not posts:
        raise NotPossible(_("Nothing of this publication is known to stand in the channel."))
    if any(post.message.message_id is None for post in posts):
        raise NotPossible(_("The number of a post in the channel is not known. Note it below first."))
    if any(standing.is_left_behind(post.message, publication.channel) for post in posts):
        raise NotPossible(standing.left_behind())
    return posts


def _message(publication: Publication, action: Message.Action, payload: dict[str, Any], priority: int) -> Message:
    return Message(
        publication=publication,
        channel=publication.channel,
        action=action,
        payload=payload,
        payload_hash=payload_hash(payload),
        priority=priority,
    )


def _edit(post: Post, payload: dict[str, Any]) -> Message:
    message = _message(post.message.publication, Action.EDIT, payload, Publication.CORRECTION)
    message.target, message.message_id = post.message, post.message.message_id
    return message


def _deletion(post: Post) -> Message:
    message = _message(post.message.publication, Action.DELETE, post.payload, Publication.CORRECTION)
    message.target, message.message_id = post.message, post.message.message_id
    return message


def _begin(
    publication: Publication,
    states: Iterable[Publication.State],
    seen: int,
    messages: Sequence[Message],
    **values: object,
) -> None:
    """Write the change down: the publication's row first, which keeps other decisions out until this one is through."""
    approval.change(publication, states, state=State.CHANGING, last_error="", **values)
    known = Message.objects.filter(publication=publication)
    if (known.aggregate(last=Max("change"))["last"] or 0) != seen:
        raise Changed(_("Somebody has changed this publication meanwhile. Look at the new version first."))
    if known.exclude(state__in=Message.AT_REST).exists():
        raise AlreadyDecided(_("Something of this publication is still on its way. Wait until that is settled."))
    now = timezone.now()
    for ordinal, message in enumerate(messages, start=1):
        message.change, message.ordinal, message.not_before = seen + 1, ordinal, now
    Message.objects.bulk_create(messages)
