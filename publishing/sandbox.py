"""The sandbox: a channel whose posts are rows, so that what became of each is always known."""

from __future__ import annotations

from datetime import timedelta

from publishing.models import Message, SandboxPost
from publishing.outcomes import NotSent, Outcome, Sent


class SandboxTransport:
    """Posts to the sandbox. A message that is sent again finds its post and makes no second one."""

    time_limit = timedelta(seconds=2)

    def send(self, message: Message) -> Outcome:
        post, _created = SandboxPost.objects.get_or_create(
            message=message, defaults={"channel_id": message.channel_id, "payload": message.payload}
        )
        return Sent(post.pk)

    def find(self, message: Message) -> Outcome:
        number = SandboxPost.objects.filter(message=message).values_list("pk", flat=True).first()
        return NotSent("", retry_after=timedelta(0)) if number is None else Sent(number)
