"""What goes out: channels, publications, the messages they are sent as, digests and their readers."""

from publishing.models.bot import Bot
from publishing.models.channel import Channel
from publishing.models.chat import Chat
from publishing.models.conversation import BotUpdate, DebugWindow, DigestWatch, TelegramEditor
from publishing.models.digest import Digest, DigestItem, DigestPlan, DigestSection, Period
from publishing.models.installation import Installation
from publishing.models.mailing import Delivery, DeliveryAttempt, Mailing, MailingItem
from publishing.models.message import Attempt, Message, SandboxPost
from publishing.models.presence import Presence
from publishing.models.probe import Probe
from publishing.models.publication import PendingPublication, Publication
from publishing.models.reaction import PostReactions
from publishing.models.subscriber import Subscriber, Subscription

__all__ = [
    "Attempt",
    "Bot",
    "BotUpdate",
    "Channel",
    "Chat",
    "DebugWindow",
    "Delivery",
    "DeliveryAttempt",
    "Digest",
    "DigestItem",
    "DigestPlan",
    "DigestSection",
    "DigestWatch",
    "Installation",
    "Mailing",
    "MailingItem",
    "Message",
    "PendingPublication",
    "Period",
    "PostReactions",
    "Presence",
    "Probe",
    "Publication",
    "SandboxPost",
    "Subscriber",
    "Subscription",
    "TelegramEditor",
]
