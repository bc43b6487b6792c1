"""What goes out: channels, publications, the messages they are sent as, digests and their readers."""

from publishing.models.bot import Bot
from publishing.models.channel import Channel
from publishing.models.chat import Chat
from publishing.models.conversation import BotUpdate, DebugWindow, TelegramEditor
from publishing.models.digest import Digest, DigestItem, DigestPlan, DigestSection, Period
from publishing.models.installation import Installation
from publishing.models.message import Attempt, Message, SandboxPost
from publishing.models.probe import Probe
from publishing.models.publication import PendingPublication, Publication
from publishing.models.subscriber import Subscriber

__all__ = [
    "Attempt",
    "Bot",
    "BotUpdate",
    "Channel",
    "Chat",
    "DebugWindow",
    "Digest",
    "DigestItem",
    "DigestPlan",
    "DigestSection",
    "Installation",
    "Message",
    "PendingPublication",
    "Period",
    "Probe",
    "Publication",
    "SandboxPost",
    "Subscriber",
    "TelegramEditor",
]
