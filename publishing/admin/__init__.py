"""The newsroom's desk: the queue, the editor of one publication, and where it all goes."""

from publishing.admin.article import PublishableArticleAdmin
from publishing.admin.bot import BotAdmin
from publishing.admin.channel import ChannelAdmin
from publishing.admin.delivery import DeliveryAdmin
from publishing.admin.digest import DigestAdmin, DigestPlanAdmin
from publishing.admin.message import MessageAdmin
from publishing.admin.publication import PublicationAdmin
from publishing.admin.queue import QueueAdmin
from publishing.admin.subscriber import SubscriberAdmin
from publishing.admin.telegram_editor import TelegramEditorAdmin

__all__ = [
    "BotAdmin",
    "ChannelAdmin",
    "DeliveryAdmin",
    "DigestAdmin",
    "DigestPlanAdmin",
    "MessageAdmin",
    "PublicationAdmin",
    "PublishableArticleAdmin",
    "QueueAdmin",
    "SubscriberAdmin",
    "TelegramEditorAdmin",
]
