"""The sandbox: a channel whose posts are rows, so that what became of each is always known."""

from __future__ import annotations

from datetime import timedelta

from publishing import verdicts
from publishing.models import Message, SandboxPost
from publishing.outcomes import NotSent, Outcome, Refused, Sent


class SandboxTransport:
    """Posts to the sandbox, edits and deletes there. A message that is sent again finds its post and makes no other."""

    time_limit = timedelta(seconds=2)

    def send(self, message: Message) -> Outcome:
        match message.action:
            case Message.Action.EDIT:
                return self._edit(message)
            case Message.Action.DELETE:
                SandboxPost.objects.filter(message=message.target_id).delete()
                return Sent(message.message_id or 0)
        post, _created = SandboxPost.objects.get_or_create(
            message=message, defaults={"channel_id": message.channel_id, "payload": message.payload}
        )
        return Sent(post.pk)

    def _edit(self, message: Message) -> Outcome:
        stands = SandboxPost.objects.filter(message=message.target_id).update(payload=message.payload)
        return Sent(message.message_id or 0) if stands else Refused(verdicts.gone())

    def find(self, message: Message) -> Outcome:
        if message.is_repeatable:
            return NotSent("", retry_after=timedelta(0))
        number = SandboxPost.objects.filter(message=message).values_list("pk", flat=True).first()
        return NotSent("", retry_after=timedelta(0)) if number is None else Sent(number)
