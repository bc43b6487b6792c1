"""Who is told that nobody knows whether a post was sent: looks into the channel, and says so at the desk."""

from __future__ import annotations

from collections import Counter

from publishing.models import Message
from publishing.settling import UNRESOLVED
from tests.chaos.progress import asked
from tests.chaos.traffic import Editor
from tests.fakes.bot_api import BotApi
from usage.models import Alert

NEEDS_PERSON = Message.State.NEEDS_PERSON


class Decider:
    """Sees what subscribers see, and knows of a message only by its alert."""

    def __init__(self, editor: Editor, telegram: BotApi) -> None:
        self.editor, self.telegram = editor, telegram
        self.decided: Counter[str] = Counter()

    def decide(self) -> None:
        """Press the button for each message that is left for a person; what fails is left for the next time."""
        for message in asked(_left) or ():
            number = self._number(message)
            chosen = {"_send_again": message.pk} if number is None else {"_sent_as": message.pk}
            self.editor.answer(message.publication_id, {**chosen, f"post-{message.pk}": number or ""})
            if asked(Message.objects.filter(pk=message.pk, resolved_by__username="editor").exists):
                self.decided["sent again" if number is None else "was there"] += 1

    def _number(self, message: Message) -> int | None:
        """Under which number it stands in the channel; None if it doesn't."""
        with self.telegram.lock:
            stands = self.telegram.stand_in(message.channel.chat_id)
        return next((post["message_id"] for post in stands if post["text"] == message.payload["text"]), None)


def _left() -> list[Message]:
    told = Alert.objects.open().filter(code=UNRESOLVED).values_list("subject", flat=True)
    known = [int(subject) for subject in told]
    return list(Message.objects.filter(state=NEEDS_PERSON, pk__in=known).select_related("channel"))
